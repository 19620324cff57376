/** What `npm run crash` can be told. */
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

export type Lie = 'lost' | 'double' | 'order' | 'note' | 'state' | undefined

export type Options = {
  readonly cycles: number
  readonly seed: string
  readonly users: number
  /** The run fails when it takes longer. */
  readonly minutesMax: number
  /** On a PostgreSQL server of its own instead of SQLite (HOLDFAST_DATABASE names one that is there). */
  readonly postgres: boolean
  /** Says something untrue to the checker, which must find it: for its own tests. */
  readonly lie: Lie
}

const LIES = ['lost', 'double', 'order', 'note', 'state'] as const

export function parseOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cycles: { type: 'string', default: '100' },
      seed: { type: 'string', default: randomBytes(4).toString('hex') },
      users: { type: 'string', default: '4' },
      minutes: { type: 'string', default: '30' },
      postgres: { type: 'boolean', default: false },
      lie: { type: 'string' },
    },
  })
  const lie = LIES.find((name) => name === values.lie)
  if (values.lie !== undefined && lie === undefined) throw new Error(`--lie is one of ${LIES.join(', ')}`)
  return {
    cycles: count('cycles', values.cycles, 1),
    seed: values.seed,
    users: count('users', values.users, 2),
    minutesMax: count('minutes', values.minutes, 1),
    postgres: values.postgres,
    lie,
  }
}

function count(name: string, text: string, min: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min) return value
  throw new Error(`--${name} is a whole number from ${min}, not ${text}`)
}
