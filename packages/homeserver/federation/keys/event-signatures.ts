/** Whether events are signed as they must be: all keys of a batch are looked up together, and no event harms another. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { createSlices } from '@holdfast/platform/clock/slices'
import type { ParsedPdu } from '@holdfast/protocol/event/format'
import { isKeyValidForEvent } from '@holdfast/protocol/federation/key-validity'
import {
  judgeSignatures,
  signaturesToCheck,
  type ClaimOutcome,
  type SignatureClaim,
  type SignatureDemands,
  type SignaturesVerdict,
} from '@holdfast/protocol/receipt/signatures'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { signatureHolds } from '@holdfast/protocol/signing/sign-json'
import type { VerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { KeyRequest, KnownKeys, ServerKeys } from './server-keys.ts'

export type SignatureCheck = { readonly key: VerifyKey; readonly text: string; readonly signature: string }

/** Whether each signature holds, in the order of the checks. */
export type VerifySignatures = (checks: readonly SignatureCheck[]) => Promise<readonly boolean[]>

export type EventSignaturesDeps = {
  readonly clock: Clock
  readonly serverKeys: Pick<ServerKeys, 'lookUp'>
  /** By default on this thread, a few milliseconds at a time. */
  readonly verifySignatures?: VerifySignatures
}

/** Events of one room. */
export type EventBatch = {
  readonly rules: RoomRules
  readonly events: readonly ParsedPdu[]
  readonly signal?: AbortSignal
}

/** How long keys are waited for. An event whose keys come later is unverified now and can be received again. */
const KEYS_MS_MAX = 30_000
/** Signatures checked together: each is on its way to another thread, and takes memory meanwhile. */
const EVENTS_AT_ONCE = 200
/** Servers sign with one key, or with two while they change them. */
const CLAIMS_PER_EVENT_MAX = 16

/** The verdict on each event, in the order of the batch. */
export async function signaturesHold(
  deps: EventSignaturesDeps,
  { rules, events, signal }: EventBatch,
): Promise<readonly SignaturesVerdict[]> {
  const slice = createSlices(deps.clock)
  const demands: SignatureDemands[] = []
  const requests = new Map<string, KeyRequest>()
  for (const event of events) {
    const demanded = bounded(signaturesToCheck(rules, event))
    demands.push(demanded)
    for (const request of keyRequests(demanded, validAt(rules, event))) addRequest(requests, request)
    await slice()
  }
  const keys = await keysInTime(deps, [...requests.values()], signal)
  const verdicts: SignaturesVerdict[] = []
  for (let start = 0; start < events.length; start += EVENTS_AT_ONCE) {
    const some = {
      demands: demands.slice(start, start + EVENTS_AT_ONCE),
      events: events.slice(start, start + EVENTS_AT_ONCE),
    }
    verdicts.push(...(await verdictsOf(deps, { rules, keys, ...some })))
    await slice()
  }
  return verdicts
}

type Demanding = Pick<EventBatch, 'rules' | 'events'> & {
  readonly demands: readonly SignatureDemands[]
  readonly keys: KnownKeys
}

async function verdictsOf(
  deps: EventSignaturesDeps,
  { rules, events, demands, keys }: Demanding,
): Promise<readonly SignaturesVerdict[]> {
  const checks = demands.flatMap((one, index) => {
    const at = { originServerTs: events[index]!.pdu.originServerTs, rules }
    return one.claims.flatMap((claim) => {
      const known = keys.get(claim.server)?.get(claim.keyId)
      if (known === undefined || !isKeyValidForEvent(known.lifetime, at)) return []
      return [{ claim, check: { key: known.key, text: one.text, signature: claim.signature } }]
    })
  })
  const verify = deps.verifySignatures ?? ((all) => verifyHere(deps.clock, all))
  const held = await verify(checks.map(({ check }) => check))
  const outcomes = new Map(checks.map(({ claim }, index) => [claim, outcome(held[index])] as const))
  return demands.map((one) => judgeSignatures(one, (claim) => outcomes.get(claim) ?? 'unknown-key'))
}

function outcome(holds: boolean | undefined): ClaimOutcome {
  return holds === true ? 'holds' : 'does-not-hold'
}

function bounded(demands: SignatureDemands): SignatureDemands {
  return { ...demands, claims: demands.claims.slice(0, CLAIMS_PER_EVENT_MAX) }
}

function validAt(rules: RoomRules, { pdu }: ParsedPdu): number | undefined {
  return rules.enforcesKeyValidity ? pdu.originServerTs : undefined
}

function keyRequests({ claims }: SignatureDemands, at: number | undefined): readonly KeyRequest[] {
  const byServer = Map.groupBy(claims, ({ server }: SignatureClaim) => server)
  return [...byServer].map(([server, ofServer]) => ({
    server,
    keyIds: ofServer.map(({ keyId }) => keyId),
    validAt: at,
  }))
}

/** Events of one server are many, and ask for the same. A key that is good at some time is good at any time before. */
function addRequest(requests: Map<string, KeyRequest>, request: KeyRequest): void {
  const name = JSON.stringify([request.server, ...request.keyIds])
  const before = requests.get(name)
  if (before === undefined || (before.validAt ?? 0) < (request.validAt ?? 0)) requests.set(name, request)
}

async function keysInTime(
  { clock, serverKeys }: EventSignaturesDeps,
  requests: readonly KeyRequest[],
  signal: AbortSignal | undefined,
): Promise<KnownKeys> {
  const late = new AbortController()
  using _timer = clock.after(KEYS_MS_MAX, () => late.abort())
  // Awaited here, for the timer ends with this function.
  return await serverKeys.lookUp(requests, {
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
  })
}

async function verifyHere(clock: Clock, checks: readonly SignatureCheck[]): Promise<readonly boolean[]> {
  const slice = createSlices(clock)
  const held: boolean[] = []
  for (const { key, text, signature } of checks) {
    held.push(signatureHolds(key, text, signature))
    await slice()
  }
  return held
}
