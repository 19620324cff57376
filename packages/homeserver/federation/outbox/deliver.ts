/** One transaction to one server: what it was told it need not be told again, and what it was not is kept. */
import { isObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import { deleteOutgoingEdus } from '../../storage/outbox.ts'
import { FederationFailed } from '../transport/federation-failed.ts'
import type { FederationTransport } from '../transport/open-transport.ts'
import { type Batch, nextBatch, type BatchDeps } from './batch.ts'
import { acknowledge, type Lane } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import type { RefusedEvents } from './refused-events.ts'
import { isEmpty, transactionOf } from './transaction.ts'

export type DeliverDeps = BatchDeps &
  Pick<Homeserver, 'db' | 'clock' | 'log' | 'serverName'> & {
    readonly federation: Pick<FederationTransport, 'client' | 'destinations'>
    readonly routed: () => number
    /** Different for each transaction of ours. */
    readonly once: () => string
    readonly refusedEvents: RefusedEvents
    readonly signal: AbortSignal
  }

export type Delivery =
  | { readonly kind: 'done' }
  /** To be tried again later. `waitMs` undefined: when the destinations say so. */
  | {
      readonly kind: 'failed'
      readonly message: string
      readonly waitMs: number | undefined
      /** Nothing was tried: too many servers that failed are being tried. */
      readonly isPostponed?: true
    }

/** Does not throw. */
export async function deliver(deps: DeliverDeps, lane: Lane): Promise<Delivery> {
  let batch: Batch | undefined
  try {
    batch = await nextBatch(deps, lane, deps.routed)
    if (!isEmpty(batch)) await send(deps, lane, batch)
    await settle(deps, lane, batch)
    lane.portion = Math.min(lane.portion * 2, OUTBOX_LIMITS.pdusMax)
    lane.refusals = 0
    return { kind: 'done' }
  } catch (error) {
    if (batch === undefined || batch.edus.length > 0) lane.hasEdus = true
    return failure(deps, lane, batch, error)
  }
}

async function send(deps: DeliverDeps, lane: Lane, batch: Batch): Promise<void> {
  const { clock, serverName, federation, signal, refusedEvents } = deps
  const { txnId, body } = transactionOf(batch, { origin: serverName, nowMs: clock.nowMs(), once: deps.once() })
  const answer = await federation.client.send({
    destination: lane.server,
    method: 'PUT',
    path: `/_matrix/federation/v1/send/${txnId}`,
    body,
    deadlineMs: OUTBOX_LIMITS.transactionMs,
    signal,
  })
  // The text of 2018 has a list of the status and the object.
  const result = Array.isArray(answer) ? (answer as readonly JsonValue[]).find(isObject) : answer
  if (!isObject(result)) throw new FederationFailed('bad-response', 'the answer to a transaction is no object')
  const refusals = refusalsIn(result['pdus'], batch)
  for (const refusal of refusals) {
    refusedEvents.add(lane.server, refusal)
    deps.log.info({ destination: lane.server, ...refusal }, 'event refused by another server')
  }
}

/** The server looked at each event; sending one again would not change what it thinks of it. */
function refusalsIn(results: JsonValue | undefined, { pdus }: Batch): { eventId: string; error: string }[] {
  if (!isObject(results)) return []
  return pdus.flatMap(({ eventId }) => {
    const result = results[eventId]
    const error = isObject(result) ? result['error'] : undefined
    return typeof error === 'string' && error !== '' ? [{ eventId, error: plain(error) }] : []
  })
}

function plain(text: string): string {
  return text.slice(0, ERROR_CHARACTERS_MAX).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

const ERROR_CHARACTERS_MAX = 300

async function settle(deps: DeliverDeps, lane: Lane, { taken, edus }: Batch): Promise<void> {
  acknowledge(lane, taken, deps.clock.monotonicMs())
  lane.edusTold = edus.at(-1)?.position ?? lane.edusTold
  const upTo = lane.edusTold
  if (upTo === undefined) return
  // If this fails they are not read again, and the next attempt deletes them, whether or not it has anything to send.
  await deps.db.commit([deleteOutgoingEdus({ serverName: lane.server, upTo })])
  lane.edusTold = undefined
}

async function failure(deps: DeliverDeps, lane: Lane, batch: Batch | undefined, error: unknown): Promise<Delivery> {
  const message = error instanceof Error ? error.message : String(error)
  if (!(error instanceof FederationFailed)) {
    deps.log.error({ err: error, destination: lane.server }, 'transaction not made')
    return { kind: 'failed', message, waitMs: OUTBOX_LIMITS.troubleWaitMs }
  }
  const { failure: kind, retryAfterMs, status = 0 } = error
  if (kind === 'backing-off') return { kind: 'failed', message, waitMs: retryAfterMs }
  const isAbout = status >= 400 && status < 500 && status !== 429
  if (!isAbout) return { kind: 'failed', message, waitMs: kind === 'bad-response' ? refusedWaitMs(lane) : undefined }
  if (batch !== undefined && !ABOUT_US.has(status)) await looksBad(deps, lane, batch, message)
  return { kind: 'failed', message, waitMs: refusedWaitMs(lane) }
}

/** Whoever answers so has not looked at what is in the transaction. */
const ABOUT_US: ReadonlySet<number> = new Set([401, 403, 404, 405, 408])

function refusedWaitMs(lane: Lane): number {
  lane.refusals += 1
  const { refusedWaitMsMin, refusedWaitMsMax } = OUTBOX_LIMITS
  return Math.min(refusedWaitMsMin * 2 ** Math.min(lane.refusals - 1, 30), refusedWaitMsMax)
}

/** Something in the transaction is refused: it is looked for by halves, and in the end passed over, or it would stop all that follows. */
async function looksBad(deps: DeliverDeps, lane: Lane, batch: Batch, message: string): Promise<void> {
  const items = Math.max(batch.pdus.length, batch.edus.length)
  if (items > 1 || (items === 1 && batch.pdus.length === batch.edus.length)) {
    lane.portion = Math.max(1, Math.floor(Math.min(items, lane.portion) / 2))
    lane.refusals = 0
    return
  }
  if (items === 0 || lane.refusals + 1 < OUTBOX_LIMITS.refusalsMax) return
  for (const { eventId } of batch.pdus) deps.refusedEvents.add(lane.server, { eventId, error: message })
  deps.log.warn({ destination: lane.server, error: message }, 'passed over what another server refuses')
  await settle(deps, lane, batch)
  lane.refusals = 0
}
