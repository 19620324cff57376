/** Rooms that are not here, asked of the servers that know them, and remembered for a while. */
import { LRUCache } from 'lru-cache'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { BadAnswer, ask, part } from '../federation/remote-rooms/ask.ts'
import type { FederationClient } from '../federation/transport/federation-client.ts'
import { FederationFailed } from '../federation/transport/federation-failed.ts'
import { remoteSpaceOf, type RemoteSpace } from './remote-space.ts'

export type RemoteQuestion = {
  readonly roomId: RoomId
  /** Asked one after the other. */
  readonly servers: readonly ServerName[]
  readonly suggestedOnly: boolean
}

export type RemoteSpaces = {
  /** undefined: none of the servers tells. */
  of(question: RemoteQuestion): Promise<RemoteSpace | undefined>
}

const SERVERS_TRIED_MAX = 3
const ASK_MS = 7_000
const ANSWER_BYTES_MAX = 2_097_152
const KEPT_MS = 5 * 60_000
const FAILURE_KEPT_MS = 30_000
const KEPT_MAX = 500
/** Statuses of an answer that the room is not for this server. */
const REFUSALS: ReadonlySet<number> = new Set([403, 404])
/** Questions on their way, over all users. */
const ASKED_AT_ONCE_MAX = 50

type Told = { readonly space: RemoteSpace | undefined; readonly keptMs: number }
type Known = { readonly told: Promise<Told>; readonly untilMs: number }

export function openRemoteSpaces(deps: {
  readonly client: FederationClient
  readonly clock: Pick<Clock, 'monotonicMs'>
}): RemoteSpaces {
  const { client, clock } = deps
  const known = new LRUCache<string, Known>({ max: KEPT_MAX })
  let asking = 0
  return {
    of: (question) => {
      const servers = question.servers.slice(0, SERVERS_TRIED_MAX)
      if (servers.length === 0) return Promise.resolve(undefined)
      // Who names other servers gets the answer of those: a liar among them lies only to who asked there.
      const key = `${question.suggestedOnly ? 's' : 'a'} ${question.roomId} ${servers.join(' ')}`
      const found = known.get(key)
      if (found !== undefined && clock.monotonicMs() < found.untilMs) return spaceOf(found.told)
      if (asking >= ASKED_AT_ONCE_MAX) return Promise.resolve(undefined)
      asking += 1
      const told = askServers(client, { ...question, servers }).finally(() => (asking -= 1))
      known.set(key, { told, untilMs: Infinity })
      told.then(
        ({ keptMs }) => known.set(key, { told, untilMs: clock.monotonicMs() + keptMs }),
        () => known.delete(key),
      )
      return spaceOf(told)
    },
  }
}

async function spaceOf(told: Promise<Told>): Promise<RemoteSpace | undefined> {
  return (await told).space
}

async function askServers(client: FederationClient, question: RemoteQuestion): Promise<Told> {
  const { roomId, servers, suggestedOnly } = question
  const path = `/_matrix/federation/v1/hierarchy/${part(roomId)}?suggested_only=${suggestedOnly}`
  // Whoever is refused may be let in as soon as somebody here, or there, joins a room that this one admits members of.
  let isRefusal = true
  for (const server of servers) {
    try {
      const request = { method: 'GET', path, responseBytesMax: ANSWER_BYTES_MAX } as const
      const answer = await ask({ client, server, deadlineMs: ASK_MS }, request)
      const space = remoteSpaceOf(answer, roomId, suggestedOnly)
      if (space !== undefined) return { space, keptMs: KEPT_MS }
      isRefusal = false
    } catch (error) {
      if (!(error instanceof FederationFailed) && !(error instanceof BadAnswer)) throw error
      isRefusal &&= error instanceof FederationFailed && REFUSALS.has(error.status ?? 0)
    }
  }
  return { space: undefined, keptMs: isRefusal ? 0 : FAILURE_KEPT_MS }
}
