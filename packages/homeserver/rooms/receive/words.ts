/** Integer ids for what received events name, made before the events are stored. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { StateKey } from '../../dictionary/dictionary.ts'
import type { Homeserver } from '../../homeserver.ts'

export type Words = {
  readonly senderNid: number
  readonly typeNid: number
  /** undefined for message events. */
  readonly stateKeyNid: number | undefined
}

/** Interned at once. */
const EVENTS_AT_ONCE = 1_000

export async function wordsOf({ dictionary }: Pick<Homeserver, 'dictionary'>, pdu: Pdu): Promise<Words> {
  const { type, stateKey, sender } = pdu
  const [senderNid, typeNid, stateKeyNid] = await Promise.all([
    dictionary.internUser(sender),
    dictionary.internEventType(type),
    stateKey === undefined ? undefined : dictionary.internStateKey({ type, stateKey }),
    ...memberOf(pdu).map((member) => dictionary.internUser(member)),
  ])
  return { senderNid, typeNid, stateKeyNid }
}

/** In the order of the events. */
export async function wordsOfAll(
  deps: Pick<Homeserver, 'dictionary'>,
  pdus: readonly Pdu[],
): Promise<readonly Words[]> {
  const words: Words[] = []
  for (let start = 0; start < pdus.length; start += EVENTS_AT_ONCE) {
    if (start > 0) await yieldToLoop()
    words.push(...(await wordsTogether(deps, pdus.slice(start, start + EVENTS_AT_ONCE))))
  }
  return words
}

async function wordsTogether(
  { dictionary }: Pick<Homeserver, 'dictionary'>,
  pdus: readonly Pdu[],
): Promise<readonly Words[]> {
  const types = [...new Set(pdus.map(({ type }) => type))]
  const stateKeys = pdus.flatMap(({ type, stateKey }): StateKey[] =>
    stateKey === undefined ? [] : [{ type, stateKey }],
  )
  const [userNids, typeNids, keyNids] = await Promise.all([
    // Members come last: they are only made known here.
    dictionary.internUsers([...pdus.map(({ sender }) => sender), ...pdus.flatMap(memberOf)]),
    Promise.all(types.map((type) => dictionary.internEventType(type))),
    dictionary.internStateKeys(stateKeys),
  ])
  const nextKey = keyNids.values()
  return pdus.map(({ type, stateKey }, index) => ({
    senderNid: userNids[index]!,
    typeNid: typeNids[types.indexOf(type)]!,
    stateKeyNid: stateKey === undefined ? undefined : nextKey.next().value!,
  }))
}

function memberOf({ type, stateKey, sender }: Pdu): readonly UserId[] {
  if (type !== 'm.room.member' || stateKey === undefined || stateKey === sender) return []
  const userId = parseUserId(stateKey)
  return userId === undefined ? [] : [userId]
}
