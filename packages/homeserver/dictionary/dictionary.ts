/** Integer ids of users, event types and state keys: looked up, or made on first sight, and cached. */
import { LRUCache } from 'lru-cache'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Database, Statement } from '@holdfast/platform/database/database'
import * as storage from '../storage/dictionary.ts'
import { openNidAllocator } from '../storage/nids.ts'

export type StateKey = { readonly type: string; readonly stateKey: string }

/**
 * `intern...` makes an id where there is none; `...Nid` only looks. Dictionary rows are committed on their own, before
 * the rows that use them: a word without a use is harmless, a use without a word is not.
 */
export type Dictionary = {
  internUser(userId: UserId): Promise<number>
  userNid(userId: UserId): Promise<number | undefined>
  /** In the order of the argument. @throws if a nid is unknown, which only a broken database can cause. */
  userIds(nids: readonly number[]): Promise<readonly UserId[]>
  internEventType(type: string): Promise<number>
  internStateKey(key: StateKey): Promise<number>
  stateKeyNid(key: StateKey): Promise<number | undefined>
  /** In the order of the argument. */
  stateKeys(nids: readonly number[]): Promise<readonly StateKey[]>
}

const CACHED_WORDS_MAX = 50_000

type Word = {
  readonly text: string
  find(): Promise<number | undefined>
  insert(nid: number): Statement
}

export function openDictionary(db: Database): Dictionary {
  const users = openWordTable(db, 'user')
  const types = openWordTable(db, 'event_type')
  const keys = openWordTable(db, 'state_key')
  const userTexts = new LRUCache<number, UserId>({ max: CACHED_WORDS_MAX })
  const keyTexts = new LRUCache<number, StateKey>({ max: CACHED_WORDS_MAX })

  const userWord = (userId: UserId): Word => ({
    text: userId,
    find: async () => (await storage.userNid(db, userId))?.user_nid,
    insert: (nid) => storage.insertUser(nid, userId),
  })
  const typeWord = (type: string): Word => ({
    text: type,
    find: async () => (await storage.eventTypeNid(db, type))?.type_nid,
    insert: (nid) => storage.insertEventType(nid, type),
  })
  const keyWord = (key: StateKey): Word => {
    return {
      text: `${key.type.length}:${key.type}${key.stateKey}`,
      find: async () => (await storage.stateKeyNid(db, key))?.state_key_nid,
      insert: (nid) => storage.insertStateKey(nid, key),
    }
  }

  return {
    internUser: (userId) => users.intern(userWord(userId)),
    userNid: (userId) => users.look(userWord(userId)),
    userIds: (nids) =>
      readTexts(nids, userTexts, async (missing) => {
        const rows = await storage.userIds(db, missing)
        return rows.map((row) => [row.user_nid, row.user_id as UserId])
      }),
    internEventType: (type) => types.intern(typeWord(type)),
    internStateKey: (key) => keys.intern(keyWord(key)),
    stateKeyNid: (key) => keys.look(keyWord(key)),
    stateKeys: (nids) =>
      readTexts(nids, keyTexts, async (missing) => {
        const rows = await storage.stateKeys(db, missing)
        return rows.map((row) => [row.state_key_nid, { type: row.type, stateKey: row.state_key }])
      }),
  }
}

/** One dictionary table: nids by text. */
type WordTable = {
  look(word: Word): Promise<number | undefined>
  intern(word: Word): Promise<number>
}

function openWordTable(db: Database, kind: string): WordTable {
  const nids = new LRUCache<string, number>({ max: CACHED_WORDS_MAX })
  const making = new Map<string, Promise<number>>()
  const allocator = openNidAllocator(db, kind)

  async function look(word: Word): Promise<number | undefined> {
    const known = nids.get(word.text)
    if (known !== undefined) return known
    const found = await word.find()
    if (found !== undefined) nids.set(word.text, found)
    return found
  }

  async function make(word: Word): Promise<number> {
    const found = await look(word)
    if (found !== undefined) return found
    const [fresh] = await allocator.take(1)
    await db.commit([word.insert(fresh!)])
    // Read back: another process may have been first.
    const nid = await word.find()
    if (nid === undefined) throw new Error('a dictionary row vanished after its commit')
    nids.set(word.text, nid)
    return nid
  }

  function intern(word: Word): Promise<number> {
    const known = nids.get(word.text)
    if (known !== undefined) return Promise.resolve(known)
    const running = making.get(word.text) ?? make(word).finally(() => making.delete(word.text))
    making.set(word.text, running)
    return running
  }

  return { look, intern }
}

async function readTexts<Text extends {}>(
  nids: readonly number[],
  cache: LRUCache<number, Text>,
  load: (missing: readonly number[]) => Promise<readonly (readonly [number, Text])[]>,
): Promise<readonly Text[]> {
  const known = new Map<number, Text>()
  const missing: number[] = []
  for (const nid of nids) {
    const text = cache.get(nid)
    if (text === undefined) missing.push(nid)
    else known.set(nid, text)
  }
  if (missing.length > 0) {
    for (const [nid, text] of await load(missing)) {
      known.set(nid, text)
      cache.set(nid, text)
    }
  }
  return nids.map((nid) => {
    const text = known.get(nid)
    if (text === undefined) throw new Error(`dictionary id ${nid} has no text`)
    return text
  })
}
