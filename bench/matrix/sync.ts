/** Sync calls, raw for measuring and parsed for checking. */

import type { ClientEvent } from './rooms.ts'
import { callRaw, type Session } from './session.ts'

export type SyncOptions = { readonly since?: string; readonly timeoutMs?: number; readonly filter?: object }
export type JoinedRoom = { readonly timeline?: { readonly events?: ClientEvent[]; readonly limited?: boolean } }
export type SyncAnswer = {
  readonly next_batch: string
  readonly rooms?: { readonly join?: Readonly<Record<string, JoinedRoom>> }
}

export function syncRaw(session: Session, options: SyncOptions = {}): Promise<Buffer> {
  const search = new URLSearchParams({ timeout: String(options.timeoutMs ?? 0) })
  if (options.since !== undefined) search.set('since', options.since)
  if (options.filter !== undefined) search.set('filter', JSON.stringify(options.filter))
  return callRaw(session, 'GET', `/_matrix/client/v3/sync?${search.toString()}`)
}

export function parseSync(raw: Buffer): SyncAnswer {
  return JSON.parse(raw.toString('utf8')) as SyncAnswer
}

export async function sync(session: Session, options: SyncOptions = {}): Promise<SyncAnswer> {
  return parseSync(await syncRaw(session, options))
}

export function timelineOf(answer: SyncAnswer, roomId: string): ClientEvent[] {
  return answer.rooms?.join?.[roomId]?.timeline?.events ?? []
}
