/** Tells the other servers of a room when our users type. <https://spec.matrix.org/v1.19/server-server-api/#typing-notifications> */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../../homeserver.ts'
import type { TypingListener } from '../../typing/typing.ts'

export type TypingSenderDeps = Pick<Homeserver, 'clock' | 'log' | 'heads' | 'dictionary' | 'outbox' | 'serverName'>

/** Others forget after half a minute who types: it is repeated, while the client does so, but not more often. */
const REPEAT_MS_MIN = 10_000

type Change = { readonly roomNid: number; readonly userNid: number; readonly typing: boolean }

export function openTypingSender(deps: TypingSenderDeps): TypingListener {
  /** When it was told of those who type, by room and user. */
  const told = new Map<string, number>()
  let last: Promise<void> = Promise.resolve()

  /** One after the other: the end of typing must not be told before its beginning. */
  function send(change: Change): void {
    last = last
      .then(() => sendOne(deps, change))
      .catch((error: Error) => deps.log.warn({ error: error.message }, 'cannot tell other servers who types'))
  }

  function hasOthers(roomNid: number): boolean {
    return deps.heads.peek(roomNid)?.members.servers.size !== 0
  }

  function types(roomNid: number, userNid: number): void {
    if (!hasOthers(roomNid)) return
    told.set(`${roomNid} ${userNid}`, deps.clock.monotonicMs())
    send({ roomNid, userNid, typing: true })
  }

  return {
    told: ({ roomNid, began, ended }) => {
      for (const userNid of began) types(roomNid, userNid)
      for (const userNid of ended) {
        if (told.delete(`${roomNid} ${userNid}`)) send({ roomNid, userNid, typing: false })
      }
    },
    prolonged: ({ roomNid, userNid }) => {
      const toldMs = told.get(`${roomNid} ${userNid}`)
      if (toldMs !== undefined && deps.clock.monotonicMs() - toldMs >= REPEAT_MS_MIN) types(roomNid, userNid)
    },
  }
}

async function sendOne(deps: TypingSenderDeps, { roomNid, userNid, typing }: Change): Promise<void> {
  const [userId] = await deps.dictionary.userIds([userNid])
  if (serverNameOf(userId!) !== deps.serverName) return
  const { members, roomId } = await deps.heads.byNid(roomNid)
  // Who has left does not type, and other servers have seen them leave.
  if (!members.joined.has(userNid)) return
  deps.outbox.sendEphemeral(members.servers.keys(), {
    key: `typing ${roomId} ${userId}`,
    eduType: 'm.typing',
    content: { room_id: roomId, user_id: userId!, typing },
  })
}
