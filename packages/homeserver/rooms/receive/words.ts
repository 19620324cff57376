/** Integer ids for what received events name, made before the events are stored. */
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Homeserver } from '../../homeserver.ts'

export type Words = {
  readonly senderNid: number
  readonly typeNid: number
  /** undefined for message events. */
  readonly stateKeyNid: number | undefined
}

/** Interned at once; their commits are grouped. */
const WORDS_AT_ONCE = 100

export async function wordsOf({ dictionary }: Pick<Homeserver, 'dictionary'>, pdu: Pdu): Promise<Words> {
  const { type, stateKey, sender } = pdu
  const target = type === 'm.room.member' && stateKey !== undefined ? parseUserId(stateKey) : undefined
  const [senderNid, typeNid, stateKeyNid] = await Promise.all([
    dictionary.internUser(sender),
    dictionary.internEventType(type),
    stateKey === undefined ? undefined : dictionary.internStateKey({ type, stateKey }),
    target === undefined ? undefined : dictionary.internUser(target),
  ])
  return { senderNid, typeNid, stateKeyNid }
}

/** In the order of the events. */
export async function wordsOfAll(
  deps: Pick<Homeserver, 'dictionary'>,
  pdus: readonly Pdu[],
): Promise<readonly Words[]> {
  const words: Words[] = []
  for (let start = 0; start < pdus.length; start += WORDS_AT_ONCE) {
    if (start > 0) await yieldToLoop()
    words.push(...(await Promise.all(pdus.slice(start, start + WORDS_AT_ONCE).map((pdu) => wordsOf(deps, pdu)))))
  }
  return words
}
