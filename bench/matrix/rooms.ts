/** Room calls of the Client-Server API that the workloads use. */

import { call, callRaw, type Session } from './session.ts'

const CLIENT = '/_matrix/client/v3'

export type ClientEvent = {
  readonly event_id: string
  readonly type: string
  readonly sender: string
  readonly state_key?: string
  readonly content: { readonly body?: string; readonly membership?: string }
}
export type MessagesPage = { readonly chunk: ClientEvent[]; readonly end?: string }

export async function createRoom(session: Session, options: object = {}): Promise<string> {
  const body = { preset: 'public_chat', ...options }
  return (await call<{ room_id: string }>(session, 'POST', `${CLIENT}/createRoom`, body)).room_id
}

export async function joinRoom(session: Session, roomId: string): Promise<void> {
  await callRaw(session, 'POST', `${CLIENT}/rooms/${encodeURIComponent(roomId)}/join`, '{}')
}

/** The part of a send's path that is the same for all messages of a room. */
export function sendPath(roomId: string): string {
  return `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/`
}

export type Message = { readonly path: string; readonly txnId: string; readonly body: string }

/** Sends a text message; `body` must need no JSON escapes. */
export async function sendMessage(session: Session, message: Message): Promise<string> {
  const content = `{"msgtype":"m.text","body":"${message.body}"}`
  const answer = await callRaw(session, 'PUT', message.path + message.txnId, content)
  return (JSON.parse(answer.toString('utf8')) as { event_id: string }).event_id
}

export function messagesPage(session: Session, roomId: string, query: { from?: string; limit: number }) {
  const search = new URLSearchParams({ dir: 'b', limit: String(query.limit) })
  if (query.from !== undefined) search.set('from', query.from)
  return call<MessagesPage>(
    session,
    'GET',
    `${CLIENT}/rooms/${encodeURIComponent(roomId)}/messages?${search.toString()}`,
  )
}

/** Every event of the room, oldest first, as pages from the newest on give it. */
export async function wholeTimeline(session: Session, roomId: string, limit = 1000): Promise<ClientEvent[]> {
  const newestFirst: ClientEvent[] = []
  let from: string | undefined
  for (let page = 0; page < 100_000; page += 1) {
    const { chunk, end } = await messagesPage(session, roomId, from === undefined ? { limit } : { from, limit })
    newestFirst.push(...chunk)
    const finished = chunk.some((event) => event.type === 'm.room.create')
    if (finished || end === undefined || end === from) return newestFirst.reverse()
    from = end
  }
  throw new Error(`scroll-back in ${roomId} does not end`)
}
