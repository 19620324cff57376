/** Which policy server a room uses now, and asking it to sign an event. <https://spec.matrix.org/v1.19/server-server-api/#policy-servers> */
import { LRUCache } from 'lru-cache'
import { MatrixError } from '@holdfast/protocol/errors'
import { exactEvent } from '@holdfast/protocol/event/exact-json'
import type { ParsedPdu } from '@holdfast/protocol/event/format'
import type { EventId } from '@holdfast/protocol/ids/brand'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import {
  POLICY_KEY_ID,
  policyServerOf,
  policySignatureIn,
  type PolicyServer,
} from '@holdfast/protocol/receipt/policy-server'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import type { StateKey } from '../../dictionary/dictionary.ts'
import type { Homeserver } from '../../homeserver.ts'
import { isResident, type RoomHead } from '../../rooms/room-heads.ts'
import { ask } from '../remote-rooms/ask.ts'
import { openSlots, type Slots } from '../remote-queries/slots.ts'
import { FederationFailed } from '../transport/federation-failed.ts'
import type { OwnPolicyServer } from './own/own-policy-server.ts'

export const POLICY_KEY: StateKey = { type: 'm.room.policy', stateKey: '' }

/** A policy server, and the event of the room's state that names it. */
export type PolicyInUse = PolicyServer & { readonly policyNid: number }

export type PolicyAnswer =
  | { readonly kind: 'signed'; readonly signature: string }
  /** It did not sign; `error` says why, unless its signature does not hold. */
  | { readonly kind: 'not-signed'; readonly error: FederationFailed | undefined }
  /** It is this server, which does not sign. */
  | { readonly kind: 'refused'; readonly error: MatrixError }
  /** It was not asked, for too much waits for it. */
  | { readonly kind: 'busy' }

export type PolicyQuestion = {
  readonly rules: RoomRules
  readonly event: ParsedPdu
  /** `sent`: a user of ours waits. The two kinds do not wait for each other. */
  readonly kind: 'sent' | 'received'
  readonly signal?: AbortSignal | undefined
}

export type PolicyServers = {
  /** This server as a policy server; undefined: it is none. */
  readonly own: OwnPolicyServer | undefined
  /** The one that the room uses; undefined: none. `unknown`: only `load` can tell. */
  peek(head: RoomHead): PolicyInUse | undefined | 'unknown'
  load(head: RoomHead): Promise<PolicyInUse | undefined>
  /** Never rejects for what the policy server does. */
  ask(policy: PolicyInUse, question: PolicyQuestion): Promise<PolicyAnswer>
}

export type PolicyServersDeps = Pick<Homeserver, 'clock' | 'dictionary' | 'events' | 'federation' | 'serverName'> & {
  readonly ownPolicyServer: OwnPolicyServer | undefined
}

export const POLICY_LIMITS = {
  sentAtOnceMax: 8,
  sentWaitingMax: 100,
  sentMs: TIME_LIMITS.federationQueryMs,
  receivedAtOnceMax: 4,
  receivedWaitingMax: 400,
  receivedMs: 5_000,
  /** A signature, and whatever else it pleases to say. */
  answerBytesMax: 65_536,
  rememberedMax: 10_000,
} as const

const NOT_SIGNED: PolicyAnswer = { kind: 'not-signed', error: undefined }

export function openPolicyServers(deps: PolicyServersDeps): PolicyServers {
  const slots = {
    sent: openSlots(deps.clock, { atOnceMax: POLICY_LIMITS.sentAtOnceMax, waitingMax: POLICY_LIMITS.sentWaitingMax }),
    received: openSlots(deps.clock, {
      atOnceMax: POLICY_LIMITS.receivedAtOnceMax,
      waitingMax: POLICY_LIMITS.receivedWaitingMax,
    }),
  }
  const remembered = new LRUCache<string, PolicyAnswer>({ max: POLICY_LIMITS.rememberedMax })
  let keyNid: number | undefined

  return {
    own: deps.ownPolicyServer,
    peek: (head) => (keyNid === undefined || stateMapGet(head.state.map, keyNid) !== undefined ? 'unknown' : undefined),
    load: async (head) => {
      // Once made, the integer makes the question cheap for all the rooms without a policy server.
      keyNid ??= await deps.dictionary.internStateKey(POLICY_KEY)
      const policyNid = stateMapGet(head.state.map, keyNid)
      const event = policyNid === undefined ? undefined : await deps.events.byNid(policyNid)
      if (policyNid === undefined || event === undefined) return undefined
      const state = {
        get: (type: string) => (type === POLICY_KEY.type ? event.pdu : undefined),
      }
      const policy = policyServerOf(state, (server) =>
        server === deps.serverName ? isResident(head) : head.members.servers.has(server),
      )
      return policy === undefined ? undefined : { ...policy, policyNid }
    },
    ask: async (policy, question) => {
      const name = nameOf(policy, question.event.pdu.eventId)
      const before = remembered.get(name)
      if (before !== undefined && stillHolds(before, policy, question)) return before
      const answer = await askInTurn(deps, slots[question.kind], { policy, question })
      if (isForGood(answer)) remembered.set(name, answer)
      return answer
    },
  }
}

function nameOf({ server, policyNid }: PolicyInUse, eventId: EventId): string {
  return `${policyNid} ${server} ${eventId}`
}

/** Up to room version 2 an event's own server can give its id to another one. */
function stillHolds(answer: PolicyAnswer, policy: PolicyInUse, { event }: PolicyQuestion): boolean {
  if (answer.kind !== 'signed') return true
  const signatures = { [policy.server]: { 'ed25519:policy_server': answer.signature } }
  return policySignatureIn(signatures, policy, event) !== undefined
}

/** Whether asking again is idle: it signed, or did not want to. */
function isForGood(answer: PolicyAnswer): boolean {
  if (answer.kind === 'signed') return true
  return answer.kind === 'not-signed' && answer.error?.errcode === 'M_FORBIDDEN'
}

async function askInTurn(
  deps: PolicyServersDeps,
  slots: Slots,
  { policy, question }: { readonly policy: PolicyInUse; readonly question: PolicyQuestion },
): Promise<PolicyAnswer> {
  // A key that is none signs nothing.
  if (policy.key === undefined) return NOT_SIGNED
  if (policy.server === deps.serverName) return askOurselves(deps, policy, question)
  const timeoutMs = question.kind === 'sent' ? POLICY_LIMITS.sentMs : POLICY_LIMITS.receivedMs
  let isAsked = false
  try {
    return await slots.run(policy.server, timeoutMs, (deadlineMs) => {
      isAsked = true
      return askOnce(deps, policy, { ...question, deadlineMs })
    })
  } catch (error) {
    if (error instanceof FederationFailed) return { kind: 'not-signed', error }
    return isAsked ? NOT_SIGNED : { kind: 'busy' }
  }
}

async function askOurselves(
  { ownPolicyServer, serverName }: PolicyServersDeps,
  policy: PolicyInUse,
  { event }: PolicyQuestion,
): Promise<PolicyAnswer> {
  if (ownPolicyServer === undefined) return NOT_SIGNED
  try {
    const answer = { [serverName]: { [POLICY_KEY_ID]: await ownPolicyServer.sign(event) } }
    // The room may name a key that is not, or no longer, ours.
    const signature = policySignatureIn(answer, policy, event)
    return signature === undefined ? NOT_SIGNED : { kind: 'signed', signature }
  } catch (error) {
    if (error instanceof MatrixError) return { kind: 'refused', error }
    throw error
  }
}

async function askOnce(
  { federation }: PolicyServersDeps,
  policy: PolicyInUse,
  { rules, event, kind, signal, deadlineMs }: PolicyQuestion & { readonly deadlineMs: number },
): Promise<PolicyAnswer> {
  const asking = {
    client: federation.client,
    server: policy.server,
    deadlineMs,
    urgent: kind === 'sent',
    ...(signal === undefined ? {} : { signal }),
  }
  const answer = await ask(asking, {
    method: 'POST',
    path: '/_matrix/policy/v1/sign',
    body: exactEvent(event.json, rules),
    responseBytesMax: POLICY_LIMITS.answerBytesMax,
  })
  const signature = policySignatureIn(answer, policy, event)
  return signature === undefined ? NOT_SIGNED : { kind: 'signed', signature }
}
