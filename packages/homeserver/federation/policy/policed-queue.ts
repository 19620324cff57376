/** The room queue, with the detour that decisions take in rooms with a policy server: built in one turn, committed in a later one. */
import { matrixError } from '@holdfast/protocol/errors'
import { signEventJson } from '@holdfast/protocol/event/sign'
import type { Homeserver } from '../../homeserver.ts'
import { narrowHead, type TipsDeps } from '../../rooms/many-tips.ts'
import { prefetch } from '../../rooms/prefetch.ts'
import { acceptEvents, type AcceptDeps } from '../../rooms/receive/accept-events.ts'
import type { Arrival, IncomingEvent } from '../../rooms/receive/incoming.ts'
import { ownIncoming } from '../../rooms/remote/templates.ts'
import { RoomDraft, type DraftEvent } from '../../rooms/room-draft.ts'
import type { RoomHead } from '../../rooms/room-heads.ts'
import { openRoomQueue, type Decision, type RoomQueue } from '../../rooms/room-queue.ts'
import { openPolicyServers, type PolicyInUse, type PolicyServersDeps } from './policy-servers.ts'
import { signedUnder } from './sign-sent.ts'

export type PolicedDeps = Omit<AcceptDeps, 'roomQueue'> &
  TipsDeps &
  Pick<Homeserver, 'policyServers' | 'random' | 'signingKeyAt'>

export function openPolicedRooms(
  deps: Omit<PolicedDeps, 'policyServers'> & Parameters<typeof openRoomQueue>[0] & PolicyServersDeps,
): Pick<Homeserver, 'policyServers' | 'roomQueue'> {
  const policyServers = openPolicyServers(deps)
  return { policyServers, roomQueue: policedQueue({ ...deps, policyServers }, openRoomQueue(deps)) }
}

/** `turn` and `create` pass: the one takes in what others sent, and in a room that begins there is nobody to ask. */
function policedQueue(deps: PolicedDeps, queue: RoomQueue): RoomQueue {
  async function runPoliced<T>(roomNid: number, decision: Decision<T>): Promise<T> {
    const head = await deps.heads.find(roomNid)
    const policy = head === undefined ? undefined : await deps.policyServers.load(head)
    if (policy === undefined) return queue.run(roomNid, decision)
    const { draft, value, whole } = await queue.turn(roomNid, (current) => rehearse(deps, current!, decision))
    await commitSigned(deps, { queue, draft, head: whole, policy })
    return value
  }
  return {
    ...queue,
    run: (roomNid, decision) => {
      const head = deps.heads.peek(roomNid)
      const isFree = head !== undefined && deps.policyServers.peek(head) === undefined
      return isFree ? queue.run(roomNid, decision) : runPoliced(roomNid, decision)
    },
  }
}

type Rehearsal<T> = { readonly draft: RoomDraft; readonly value: T; readonly whole: RoomHead }

/** Decides, and commits nothing. */
async function rehearse<T>(deps: PolicedDeps, whole: RoomHead, decision: Decision<T>): Promise<Rehearsal<T>> {
  const head = (await narrowHead(deps, whole))?.head ?? whole
  const needs = await decision.prepare(head)
  const prefetchDeps = { ...deps, eventNids: deps.nids.events, stateNids: deps.nids.states }
  const prefetched = await prefetch(prefetchDeps, { rules: head.rules, state: head.state.map }, [needs])
  const draft = new RoomDraft(deps, head, head, prefetched)
  return { value: decision.decide(draft), draft, whole }
}

async function commitSigned(
  deps: PolicedDeps,
  sent: {
    readonly queue: RoomQueue
    readonly draft: RoomDraft
    readonly head: RoomHead
    readonly policy: PolicyInUse
  },
): Promise<void> {
  const { queue, draft, head, policy } = sent
  if (draft.events.length === 0) return
  const signed: IncomingEvent[] = []
  for (const drafted of draft.events) {
    signed.push(await signedUnder(deps, { policy, rules: head.rules }, asIncoming(deps, head, drafted)))
  }
  const arrivals = signed.map((incoming, index) => arrivalOf(draft, index, incoming))
  const outcomes = await acceptEvents({ ...deps, roomQueue: queue }, head, { arrivals, time: 'present' })
  if (outcomes.every(({ outcome }) => outcome === 'accepted')) return
  throw matrixError('M_FORBIDDEN', 'The room changed meanwhile, and does not take the event any more.')
}

function asIncoming(deps: PolicedDeps, { rules }: RoomHead, { event }: DraftEvent): IncomingEvent {
  const key = deps.signingKeyAt(event.pdu.originServerTs)
  return ownIncoming(deps, rules, signEventJson(event.json, rules, deps.serverName, key))
}

/** What else the decision changes is committed with its last event. */
function arrivalOf(draft: RoomDraft, index: number, incoming: IncomingEvent): Arrival {
  const { nid, deviceNid, transactionId } = draft.events[index]!.event
  const sides = index === draft.events.length - 1 ? draft.sides : []
  return {
    incoming,
    isOurs: true,
    drafted: { nid, sides },
    ...(deviceNid === undefined ? {} : { transaction: { deviceNid, transactionId } }),
  }
}
