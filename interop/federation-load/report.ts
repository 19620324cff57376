/** The results as a page of the documentation. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Column, figure, markdownTable } from '../../bench/report/table.ts'
import type { Cost } from './measure.ts'
import type { Shape } from './traffic.ts'

/** Seconds from the client's request. */
export type JoinResult = {
  readonly answered: number
  readonly firstMessage: number
  readonly wholeState: number
  readonly cost: Cost
}

export type ReceiveResult = {
  readonly shape: Shape
  readonly events: number
  readonly perSecond: number
  readonly cost: Cost
}

export type Result = {
  readonly server: string
  readonly members: number
  readonly stateEvents: number
  readonly version: string
  readonly answerMiB: number
  readonly machine: string
  /** What else a reader must know. */
  readonly note?: string | undefined
  readonly joining: JoinResult
  readonly receiving: readonly ReceiveResult[]
}

export const RESULTS = join(tmpdir(), 'holdfast-federation-load-results')
const PAGE = join(import.meta.dirname, '../../docs/benchmarks-federation.md')

const BY_HAND = '<!-- by hand from here on -->'

export function resultFile({ server, members }: Pick<Result, 'server' | 'members'>): string {
  return join(RESULTS, `${server}-${members}.json`)
}

export function writeReport(): void {
  const results = readdirSync(RESULTS)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(RESULTS, name), 'utf8')) as Result)
    .toSorted((one, two) => two.members - one.members || one.server.localeCompare(two.server))
  if (results.length === 0) throw new Error(`no results in ${RESULTS}`)
  writeFileSync(PAGE, page(results).trimEnd() + '\n' + writtenByHand())
}

/** What stands at the end of the page is no result of this program. */
function writtenByHand(): string {
  const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''
  const start = before.indexOf(BY_HAND)
  return start === -1 ? '' : `\n${before.slice(start)}`
}

function page(results: readonly Result[]): string {
  const [{ version, machine }] = results as [Result]
  const notes = results.flatMap(({ server, members, note }) =>
    note === undefined ? [] : [`- ${server}, ${figure(members)} members: ${note}`],
  )
  return `# Benchmarks of federation

Written by \`node interop/federation-load/run.ts --report\`; do not edit by hand. What is measured, and how:
[interop/federation-load](../interop/federation-load/README.md). Rooms have version ${version}. All on one machine (${machine}),
without network delay.

\`\`\`
node interop/federation-load/run.ts
node interop/federation-load/run.ts --members 1000 --state-events 2000 --events 2000
node interop/federation-load/run.ts --members 1000 --state-events 2000 --events 2000 --server synapse
node interop/federation-load/run.ts --report
\`\`\`

${notes.join('\n')}

## Joining

Seconds from the client's request to join. The delay of the event loop is what the server tells of itself while the room is
joined; "others" is how long another user's small requests took then.

${markdownTable(JOIN_COLUMNS, results)}

## Receiving

Events in transactions of 50, one transaction after the other, until the last event is shown to the member.

${markdownTable(
  RECEIVE_COLUMNS,
  results.flatMap((result) => result.receiving.map((received) => ({ ...result, ...received }))),
)}
${comparison(results)}`
}

const JOIN_COLUMNS: readonly Column<Result>[] = [
  { title: 'server', cell: ({ server }) => server },
  { title: 'members', align: 'right', cell: ({ members }) => figure(members) },
  { title: 'state events', align: 'right', cell: ({ stateEvents }) => figure(stateEvents) },
  { title: 'answer, MiB', align: 'right', cell: ({ answerMiB }) => figure(answerMiB) },
  { title: 'join answered, s', align: 'right', cell: ({ joining }) => figure(joining.answered) },
  { title: 'first message, s', align: 'right', cell: ({ joining }) => figure(joining.firstMessage) },
  { title: 'whole state, s', align: 'right', cell: ({ joining }) => figure(joining.wholeState) },
  { title: 'CPU, s', align: 'right', cell: ({ joining }) => figure(joining.cost.cpuSeconds) },
  { title: 'loop p50 / p99 / max, ms', align: 'right', cell: ({ joining }) => loop(joining.cost) },
  { title: 'others p50 / p99 / max, ms', align: 'right', cell: ({ joining }) => others(joining.cost) },
  { title: 'RSS before / peak / after, MiB', align: 'right', cell: ({ joining }) => memory(joining.cost) },
]

const RECEIVE_COLUMNS: readonly Column<ReceiveResult & Result>[] = [
  { title: 'server', cell: ({ server }) => server },
  { title: 'members', align: 'right', cell: ({ members }) => figure(members) },
  { title: 'stream', cell: ({ shape }) => shape },
  { title: 'events', align: 'right', cell: ({ events }) => figure(events) },
  { title: 'events/s', align: 'right', cell: ({ perSecond }) => figure(perSecond) },
  {
    title: 'CPU per event, ms',
    align: 'right',
    cell: ({ cost, events }) => figure((cost.cpuSeconds * 1000) / events),
  },
  { title: 'loop p50 / p99 / max, ms', align: 'right', cell: ({ cost }) => loop(cost) },
  { title: 'others p50 / p99 / max, ms', align: 'right', cell: ({ cost }) => others(cost) },
  { title: 'RSS peak, MiB', align: 'right', cell: ({ cost }) => figure(cost.rssMiB.peak) },
]

function loop({ loopDelay }: Cost): string {
  if (loopDelay === undefined) return '–'
  return [loopDelay.p50Ms, loopDelay.p99Ms, loopDelay.maxMs].map(figure).join(' / ')
}

function others({ others: { p50, p99, max } }: Cost): string {
  return [p50, p99, max].map(figure).join(' / ')
}

function memory({ rssMiB: { before, peak, after } }: Cost): string {
  return [before, peak, after].map(figure).join(' / ')
}

/** The same room and the same stream. */
function comparison(results: readonly Result[]): string {
  const theirs = results.find(({ server }) => server !== 'Holdfast')
  const ours = results.find(({ server, members }) => server === 'Holdfast' && members === theirs?.members)
  if (ours === undefined || theirs === undefined) return ''
  const times = ours.receiving.flatMap(({ shape, perSecond, events, cost }) => {
    const other = theirs.receiving.find((one) => one.shape === shape)
    if (other === undefined) return []
    const cpu = other.cost.cpuSeconds / other.events / (cost.cpuSeconds / events)
    return [
      `${figure(perSecond / other.perSecond)} times its events per second at 1/${figure(cpu)} of its CPU per event (${shape})`,
    ]
  })
  const joins = figure(theirs.joining.wholeState / ours.joining.wholeState)
  return `\nHeld against ${theirs.server} with ${figure(theirs.members)} members: the whole state ${joins} times as fast; ${times.join('; ')}.\n`
}
