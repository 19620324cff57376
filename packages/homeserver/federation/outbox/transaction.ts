/** A transaction as it goes out. <https://spec.matrix.org/v1.19/server-server-api/#transactions> */
import { hash } from 'node:crypto'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Batch } from './batch.ts'

export type Transaction = { readonly txnId: string; readonly body: JsonObject }

export function isEmpty({ pdus, edus, ephemeral }: Batch): boolean {
  return pdus.length === 0 && edus.length === 0 && ephemeral.length === 0
}

/**
 * The id is made of what the transaction carries, so that the same transaction has the same id whenever it is tried again,
 * be it after a crash. Ephemeral EDUs may say twice what they said before, and are never repeated: `once` sets them apart.
 */
export function transactionOf(
  { pdus, edus, ephemeral }: Batch,
  sender: { readonly origin: ServerName; readonly nowMs: number; readonly once: string },
): Transaction {
  const carried = [
    pdus.map(({ eventId }) => eventId),
    edus.map(({ position, edu }) => [position, edu]),
    ephemeral.length === 0 ? '' : sender.once,
  ]
  const txnId = hash('sha256', JSON.stringify(carried), 'base64url').slice(0, TXN_ID_CHARACTERS)
  const body: Record<string, unknown> = {
    origin: sender.origin,
    origin_server_ts: sender.nowMs,
    pdus: pdus.map(({ pdu }) => pdu),
  }
  const allEdus = [...edus.map(({ edu }) => JSON.parse(edu) as JsonObject), ...mergedPresence(ephemeral)]
  if (allEdus.length > 0) body['edus'] = allEdus
  return { txnId, body: body as JsonObject }
}

const TXN_ID_CHARACTERS = 32

/** Presence of many users is one EDU. <https://spec.matrix.org/v1.19/server-server-api/#presence> */
function mergedPresence(ephemeral: Batch['ephemeral']): readonly JsonObject[] {
  const presence = ephemeral.filter(({ edu_type }) => edu_type === 'm.presence')
  const others = ephemeral.filter(({ edu_type }) => edu_type !== 'm.presence')
  if (presence.length === 0) return others
  const push = presence.flatMap(({ content }) => (content['push'] ?? []) as JsonObject[])
  return [...others, { edu_type: 'm.presence', content: { push } }]
}
