/** Access tokens seen lately, and whose they are. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Requester } from './requester.ts'

export type KnownToken = {
  readonly requester: Requester
  readonly isLocked: boolean
  /** undefined: it does not expire. */
  readonly expiresMs: number | undefined
  /** When `devices.last_seen_ms` was written last. */
  seenMs: number
}

const KNOWN_TOKENS_MAX = 20_000

/** By base64 of the token's SHA-256. Whoever revokes tokens forgets them here in the turn in which the commit resolves. */
export type RequesterCache = {
  get(tokenHash: string): KnownToken | undefined
  /** A mark to be taken before storage is read, and given to `set` with what was read. */
  mark(): number
  /** Remembers the token, unless something was revoked since the mark: then what was read may be out of date. */
  set(tokenHash: string, known: KnownToken, mark: number): void
  forgetDevices(deviceNids: readonly number[]): void
  forgetUser(userNid: number): void
  /** Calls when a token of the device, or of the user, was revoked; whether it was theirs is theirs to find out. */
  onRevoked(of: Pick<Requester, 'userNid' | 'deviceNid'>, listener: () => void): Disposable
}

type Watcher = Pick<Requester, 'userNid' | 'deviceNid'> & { readonly listener: () => void }

export function openRequesterCache(): RequesterCache {
  const hashesOfDevice = new Map<number, Set<string>>()
  const watchers = new Map<number, Set<Watcher>>()
  let revocations = 0
  const tokens = new LRUCache<string, KnownToken>({
    ...upTo(KNOWN_TOKENS_MAX),
    dispose: ({ requester }, tokenHash) => {
      const hashes = hashesOfDevice.get(requester.deviceNid)
      hashes?.delete(tokenHash)
      if (hashes?.size === 0) hashesOfDevice.delete(requester.deviceNid)
    },
  })

  return {
    get: (tokenHash) => tokens.get(tokenHash),
    mark: () => revocations,
    set: (tokenHash, known, mark) => {
      if (mark !== revocations) return
      tokens.set(tokenHash, known)
      const { deviceNid } = known.requester
      hashesOfDevice.set(deviceNid, (hashesOfDevice.get(deviceNid) ?? new Set()).add(tokenHash))
    },
    forgetDevices: (deviceNids) => {
      revocations += 1
      for (const deviceNid of deviceNids) {
        for (const tokenHash of hashesOfDevice.get(deviceNid) ?? []) tokens.delete(tokenHash)
        for (const { listener } of watchers.get(deviceNid) ?? []) listener()
      }
    },
    forgetUser: (userNid) => {
      revocations += 1
      const theirs = Array.from(tokens.entries()).filter(([, { requester }]) => requester.userNid === userNid)
      for (const [tokenHash] of theirs) tokens.delete(tokenHash)
      const watching = Array.from(watchers.values()).flatMap((some) => [...some])
      for (const watcher of watching) if (watcher.userNid === userNid) watcher.listener()
    },
    onRevoked: ({ userNid, deviceNid }, listener) => {
      const watcher: Watcher = { userNid, deviceNid, listener }
      const some = watchers.get(deviceNid) ?? new Set()
      watchers.set(deviceNid, some.add(watcher))
      const stop = (): void => {
        some.delete(watcher)
        if (some.size === 0 && watchers.get(deviceNid) === some) watchers.delete(deviceNid)
      }
      return { [Symbol.dispose]: stop }
    },
  }
}
