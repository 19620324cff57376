/** Measures one span of work: latency, rate, and what it cost the server and the generator. */

import type { HttpClient } from '../http/client.ts'
import { closedLoop, type LoopLimits, type Operation } from './closed-loop.ts'
import type { DatabaseSize } from './database-size.ts'
import { scrapeLoopDelayP99Ms } from './loop-delay.ts'
import type { Memory, ProcessTrees } from './processes.ts'
import { summarise, type Summary } from './statistics.ts'

/** Columns that could not be measured are absent. */
export type Row = {
  readonly workload: string
  readonly variant: string
  readonly inFlight: number
  readonly operations: number
  readonly seconds: number
  /** Absent where the workload pauses between operations. */
  readonly perSecond?: number
  readonly latencyMs: Summary
  /** CPU of the server's whole process tree. */
  readonly cpuMicrosPerOperation?: number
  /** Share of one core. */
  readonly serverCpuShare?: number
  readonly generatorCpuShare: number
  readonly loopDelayP99Ms?: number
  readonly databaseBytesPerOperation?: number
  /** After the span. */
  readonly memory?: Memory
  readonly note?: string
}

export type Instruments = {
  readonly client: HttpClient
  readonly trees?: ProcessTrees | undefined
  readonly databaseSize?: DatabaseSize | undefined
  /** Runs a span's work with something around it, such as a profiler. */
  readonly around?: <Answer>(title: string, work: () => Promise<Answer>) => Promise<Answer>
}

export type Span = LoopLimits & {
  readonly workload: string
  readonly variant: string
  readonly note?: string
  /** Set where each operation writes: the growth of the database is shown per operation. */
  readonly writes?: boolean
  /** Set where the workload pauses between operations, so that a rate would say nothing. */
  readonly paced?: boolean
}

type Reading = { cpuSeconds?: number | undefined; generatorMicros: number; databaseBytes?: number | undefined }

export function measureSpan(instruments: Instruments, span: Span, operation: Operation): Promise<Row> {
  const work = () => measureWork(instruments, span, operation)
  return instruments.around === undefined ? work() : instruments.around(`${span.workload} ${span.variant}`, work)
}

async function measureWork(instruments: Instruments, span: Span, operation: Operation): Promise<Row> {
  await scrapeLoopDelayP99Ms(instruments.client)
  const before = await read(instruments, span)
  const { samplesMs, seconds } = await closedLoop(span, operation)
  const generatorMicros = cpuMicros() - before.generatorMicros
  const loopDelayP99Ms = await scrapeLoopDelayP99Ms(instruments.client)
  const after = await read(instruments, span)
  return {
    workload: span.workload,
    variant: span.variant,
    inFlight: span.inFlight,
    operations: samplesMs.length,
    seconds,
    ...(span.paced === true ? {} : { perSecond: samplesMs.length / seconds }),
    latencyMs: summarise(samplesMs),
    generatorCpuShare: generatorMicros / 1e6 / seconds,
    ...costs({ before, after, operations: samplesMs.length, seconds }),
    ...(loopDelayP99Ms === undefined ? {} : { loopDelayP99Ms }),
    ...(instruments.trees === undefined ? {} : { memory: instruments.trees.memory() }),
    ...(span.note === undefined ? {} : { note: span.note }),
  }
}

async function read(instruments: Instruments, span: Span): Promise<Reading> {
  const databaseBytes = span.writes === true ? await instruments.databaseSize?.() : undefined
  return { cpuSeconds: instruments.trees?.cpuSeconds(), generatorMicros: cpuMicros(), databaseBytes }
}

function costs(span: { before: Reading; after: Reading; operations: number; seconds: number }): Partial<Row> {
  const { before, after, operations, seconds } = span
  const cpu = difference(after.cpuSeconds, before.cpuSeconds)
  const bytes = difference(after.databaseBytes, before.databaseBytes)
  return {
    ...(cpu === undefined ? {} : { cpuMicrosPerOperation: (cpu * 1e6) / operations, serverCpuShare: cpu / seconds }),
    ...(bytes === undefined ? {} : { databaseBytesPerOperation: bytes / operations }),
  }
}

function difference(after: number | undefined, before: number | undefined): number | undefined {
  return after === undefined || before === undefined ? undefined : after - before
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}
