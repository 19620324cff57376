/** What a workload works with: accounts, scale, measuring, and things built once for several workloads. */

import type { HttpClient } from './http/client.ts'
import type { Accounts } from './matrix/accounts.ts'
import { type Instruments, measureSpan, type Row, type Span } from './measure/meter.ts'
import type { Operation } from './measure/closed-loop.ts'
import { figure } from './report/table.ts'
import type { Progress } from './report/progress.ts'
import type { Scale } from './scale.ts'

export type Workload = { readonly name: string; readonly describes: string; run(bench: Bench): Promise<void> }

export type Fact = { readonly name: string; readonly value: number; readonly unit: string }

export class Bench {
  readonly client: HttpClient
  readonly accounts: Accounts
  readonly instruments: Instruments
  readonly scale: Scale
  readonly progress: Progress
  readonly rows: Row[] = []
  readonly facts: Fact[] = []
  readonly #built = new Map<string, Promise<unknown>>()

  constructor(parts: { accounts: Accounts; instruments: Instruments; scale: Scale; progress: Progress }) {
    this.client = parts.instruments.client
    this.accounts = parts.accounts
    this.instruments = parts.instruments
    this.scale = parts.scale
    this.progress = parts.progress
  }

  /** Runs the operation in a closed loop and keeps the row. */
  async measure(span: Omit<Span, 'secondsMax'> & { secondsMax?: number }, operation: Operation): Promise<Row> {
    const title = `${span.workload}, ${span.variant}`
    const count = this.progress.counter(title)
    const row = await measureSpan(
      this.instruments,
      { secondsMax: this.scale.spanSecondsMax, ...span },
      async (worker, index) => {
        const own = await operation(worker, index)
        count.add()
        return own
      },
    )
    this.rows.push(row)
    this.progress.row(row)
    return row
  }

  fact(name: string, value: number, unit: string): void {
    this.facts.push({ name, value, unit })
    this.progress.say(`${name}: ${figure(value)} ${unit}`)
  }

  /** A thing that several workloads use, built by the first that asks. */
  once<Thing>(name: string, build: () => Promise<Thing>): Promise<Thing> {
    const existing = this.#built.get(name) as Promise<Thing> | undefined
    if (existing !== undefined) return existing
    const building = build()
    this.#built.set(name, building)
    return building
  }
}
