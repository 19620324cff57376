/** Integer ids of users, event types and state keys: looked up, or made on first sight, and cached. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Database, Statement } from '@holdfast/platform/database/database'
import * as storage from '../storage/dictionary.ts'
import { openNidAllocator, type NidAllocator } from '../storage/nids.ts'

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
  /** As `internUser` for each, in the order of the argument, with few reads and commits. */
  internUsers(userIds: readonly UserId[]): Promise<readonly number[]>
  /** As `internStateKey` for each, likewise. */
  internStateKeys(keys: readonly StateKey[]): Promise<readonly number[]>
  /** In the order of the argument. */
  stateKeys(nids: readonly number[]): Promise<readonly StateKey[]>
}

const CACHED_WORDS_MAX = 50_000

type Word = {
  readonly text: string
  find(): Promise<number | undefined>
  insert(nid: number): Statement
}

/** The nids, by text, of those words that have one. */
type FindAll<OneWord> = (words: readonly OneWord[]) => Promise<ReadonlyMap<string, number>>

export function openDictionary(db: Database): Dictionary {
  const users = openWordTable(db, 'user')
  const types = openWordTable(db, 'event_type')
  const keys = openWordTable(db, 'state_key')
  const userTexts = new LRUCache<number, UserId>(upTo(CACHED_WORDS_MAX))
  const keyTexts = new LRUCache<number, StateKey>(upTo(CACHED_WORDS_MAX))

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
  const keyWord = (key: StateKey): Word & { readonly key: StateKey } => ({
    key,
    text: keyText(key),
    find: async () => (await storage.stateKeyNid(db, key))?.state_key_nid,
    insert: (nid) => storage.insertStateKey(nid, key),
  })
  const findUsers: FindAll<Word> = async (words) => {
    const rows = await storage.userNids(
      db,
      words.map(({ text }) => text),
    )
    return new Map(rows.map((row) => [row.user_id, row.user_nid]))
  }
  const findKeys: FindAll<ReturnType<typeof keyWord>> = async (words) => {
    const found = new Map<string, number>()
    for (const [type, ofType] of Map.groupBy(words, ({ key }) => key.type)) {
      const stateKeys = ofType.map(({ key }) => key.stateKey)
      for (const row of await storage.stateKeyNidsOfType(db, { type, stateKeys })) {
        found.set(keyText({ type, stateKey: row.state_key }), row.state_key_nid)
      }
    }
    return found
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
    internUsers: (userIds) => users.internAll(userIds.map(userWord), findUsers),
    internStateKeys: (all) => keys.internAll(all.map(keyWord), findKeys),
    stateKeys: (nids) =>
      readTexts(nids, keyTexts, async (missing) => {
        const rows = await storage.stateKeys(db, missing)
        return rows.map((row) => [row.state_key_nid, { type: row.type, stateKey: row.state_key }])
      }),
  }
}

function keyText({ type, stateKey }: StateKey): string {
  return `${type.length}:${type}${stateKey}`
}

/** One dictionary table: nids by text. */
type WordTable = {
  look(word: Word): Promise<number | undefined>
  intern(word: Word): Promise<number>
  /** In the order of the words. */
  internAll<OneWord extends Word>(words: readonly OneWord[], findAll: FindAll<OneWord>): Promise<readonly number[]>
}

/** Words looked up in one read, and made in one commit. */
const WORDS_AT_ONCE = 250
/** Their commits share what it costs to be on disk. */
const COMMITS_AT_ONCE = 4

function openWordTable(db: Database, kind: string): WordTable {
  const nids = new LRUCache<string, number>(upTo(CACHED_WORDS_MAX))
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

  async function internAll<OneWord extends Word>(
    words: readonly OneWord[],
    findAll: FindAll<OneWord>,
  ): Promise<readonly number[]> {
    // Not from the cache at the end: with more words than it holds, the first would be gone by then.
    const found = new Map<string, number>()
    const unknown = new Map<string, OneWord>()
    for (const word of words) {
      const nid = nids.get(word.text)
      if (nid === undefined) unknown.set(word.text, word)
      else found.set(word.text, nid)
    }
    const rest = [...unknown.values()]
    for (let start = 0; start < rest.length; start += WORDS_AT_ONCE * COMMITS_AT_ONCE) {
      const parts = Array.from({ length: COMMITS_AT_ONCE }, (_, index) => start + index * WORDS_AT_ONCE)
      const made = parts.map((from) => makeAll({ db, allocator }, rest.slice(from, from + WORDS_AT_ONCE), findAll))
      for (const [text, nid] of (await Promise.all(made)).flatMap((some) => [...some])) {
        found.set(text, nid)
        nids.set(text, nid)
      }
    }
    return words.map(({ text }) => found.get(text)!)
  }

  return { look, intern, internAll }
}

type Making = { readonly db: Database; readonly allocator: NidAllocator }

async function makeAll<OneWord extends Word>(
  { db, allocator }: Making,
  words: readonly OneWord[],
  findAll: FindAll<OneWord>,
): Promise<ReadonlyMap<string, number>> {
  if (words.length === 0) return new Map()
  const found = await findAll(words)
  const missing = words.filter(({ text }) => !found.has(text))
  if (missing.length === 0) return found
  const fresh = await allocator.take(missing.length)
  await db.commit(missing.map((word, index) => word.insert(fresh[index]!)))
  // Read back: another process, or whoever interns one of them alone, may have been first.
  const made = await findAll(missing)
  if (made.size < missing.length) throw new Error('dictionary rows vanished after their commit')
  return new Map([...found, ...made])
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
