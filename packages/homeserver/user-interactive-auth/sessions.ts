/** Sessions of user-interactive authentication: in memory, bounded, short-lived. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Random } from '@holdfast/platform/random/random'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Flow, StageType } from './stage-types.ts'

/** What was proved for one request, so far. */
export type AuthSession = {
  readonly id: string
  /** The endpoint and what it works on: a proof is good for nothing else. */
  readonly operation: string
  /** Whose action it is; undefined for those without an account yet. */
  readonly user: Pick<Requester, 'userId' | 'userNid'> | undefined
  readonly flows: readonly Flow[]
  readonly expiresMs: number
  readonly completed: StageType[]
  /** SHA-256 of the body that the proofs are for; undefined as long as nothing binds them. */
  bodyHash: string | undefined
  /** The body of the first request, for clients that do not repeat it; kept only if it is small. */
  readonly remembered: JsonObject | undefined
  /** The registration token that was given, held for this session. */
  registrationToken: string | undefined
  /** `claimed`: a request is being done with it. `user_nid`: the account that was registered with it. */
  state: 'open' | 'claimed' | { readonly registeredNid: number }
}

/** Another node or a restart does not know a session: its client is asked to begin again. */
export type AuthSessions = {
  open(
    session: Pick<AuthSession, 'operation' | 'user' | 'flows' | 'bodyHash'> & { readonly body: JsonObject },
  ): AuthSession
  find(id: string): AuthSession | undefined
  remove(session: AuthSession): void
  /** Takes back a session that was removed. */
  restore(session: AuthSession): void
  /** How many live sessions hold this registration token. */
  holding(registrationToken: string): number
}

export const AUTH_SESSION_MS = 3_600_000
const SESSIONS_MAX = 10_000
/** With the number of sessions this bounds their memory to 40 MB. */
const REMEMBERED_CHARACTERS_MAX = 4_096
const SESSION_ID_CHARACTERS = 24

export function openAuthSessions(deps: { readonly clock: Clock; readonly random: Random }): AuthSessions {
  const sessions = new LRUCache<string, AuthSession>(upTo(SESSIONS_MAX))

  function isLive(session: AuthSession): boolean {
    return session.expiresMs > deps.clock.monotonicMs()
  }

  return {
    open: ({ operation, user, flows, bodyHash, body }) => {
      const session: AuthSession = {
        id: deps.random.text(SESSION_ID_CHARACTERS),
        operation,
        user,
        flows,
        expiresMs: deps.clock.monotonicMs() + AUTH_SESSION_MS,
        completed: [],
        bodyHash,
        remembered: JSON.stringify(body).length <= REMEMBERED_CHARACTERS_MAX ? body : undefined,
        registrationToken: undefined,
        state: 'open',
      }
      sessions.set(session.id, session)
      return session
    },
    find: (id) => {
      const session = sessions.get(id)
      if (session === undefined || isLive(session)) return session
      sessions.delete(id)
      return undefined
    },
    remove: (session) => {
      sessions.delete(session.id)
    },
    restore: (session) => {
      sessions.set(session.id, session)
    },
    holding: (registrationToken) => {
      let count = 0
      for (const session of sessions.values()) {
        const holds = session.registrationToken === registrationToken && typeof session.state === 'string'
        if (holds && isLive(session)) count += 1
      }
      return count
    },
  }
}
