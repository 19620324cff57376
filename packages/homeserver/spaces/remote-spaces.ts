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
/** Questions on their way, over all users. */
const ASKED_AT_ONCE_MAX = 50

type Known = { readonly answer: Promise<RemoteSpace | undefined>; readonly untilMs: number }

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
      if (found !== undefined && clock.monotonicMs() < found.untilMs) return found.answer
      if (asking >= ASKED_AT_ONCE_MAX) return Promise.resolve(undefined)
      asking += 1
      const answer = askServers(client, { ...question, servers }).finally(() => (asking -= 1))
      known.set(key, { answer, untilMs: clock.monotonicMs() + KEPT_MS })
      const settled = (space: RemoteSpace | undefined): void => {
        if (space === undefined) known.set(key, { answer, untilMs: clock.monotonicMs() + FAILURE_KEPT_MS })
      }
      answer.then(settled, () => known.delete(key))
      return answer
    },
  }
}

async function askServers(client: FederationClient, question: RemoteQuestion): Promise<RemoteSpace | undefined> {
  const { roomId, servers, suggestedOnly } = question
  const path = `/_matrix/federation/v1/hierarchy/${part(roomId)}?suggested_only=${suggestedOnly}`
  for (const server of servers) {
    try {
      const request = { method: 'GET', path, responseBytesMax: ANSWER_BYTES_MAX } as const
      const answer = await ask({ client, server, deadlineMs: ASK_MS }, request)
      const space = remoteSpaceOf(answer, roomId, suggestedOnly)
      if (space !== undefined) return space
    } catch (error) {
      if (!(error instanceof FederationFailed) && !(error instanceof BadAnswer)) throw error
    }
  }
  return undefined
}
