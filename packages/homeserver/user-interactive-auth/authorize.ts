/** The framework: what to ask for, what was proved, and for which request. <https://spec.matrix.org/v1.19/client-server-api/#user-interactive-authentication-api> */
import { hash } from 'node:crypto'
import { matrixError } from '@holdfast/protocol/errors'
import { canonicalJson, isCanonicalValue } from '@holdfast/protocol/json/canonical'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { completeStage, isComplete, nextStages } from './progress.ts'
import type { AuthSession } from './sessions.ts'
import { tryStage, type StageAttempt, type StageDeps, type StageRefusal } from './stages.ts'
import type { Flow, StageType } from './stage-types.ts'

export type AuthRequest = {
  /** Names the endpoint and what it works on, such as `deleteDevice ABC`: a session is good for nothing else. */
  readonly operation: string
  readonly flows: readonly Flow[]
  /** Whose action it is; undefined for those without an account yet. */
  readonly user: StageAttempt['user']
  /** The body as it came, with `auth`. */
  readonly body: JsonObject
  readonly remoteAddress: string
  /**
   * What the proofs are bound to: the body of the first request, or, where clients first ask with an incomplete body,
   * the one that came with the first proof.
   */
  readonly binding: 'first-request' | 'first-proof'
}

/** The 401 answer that asks for (further) proof. */
export type Challenge = { readonly kind: 'challenge'; readonly status: 401; readonly body: object }

export type Authorized = {
  readonly kind: 'authorized'
  readonly session: AuthSession
  /** The body to act on: what came now or, if only `auth` came, what came first. */
  readonly body: JsonObject
  /** For registrations: who sends the request again is told that it was done, and for whom. */
  finish(registeredNid: number): void
  /** Gives the session back when the action failed before it changed anything. */
  release(): void
}

/** A session that has done its work, sent again: the caller may repeat its answer, or refuse. */
export type Repeated = { readonly kind: 'repeated'; readonly registeredNid: number; readonly body: JsonObject }

export async function authorizeInteractively(
  deps: StageDeps,
  request: AuthRequest,
): Promise<Challenge | Authorized | Repeated> {
  const auth = request.body['auth']
  if (!isObject(auth)) return challenge(deps, request, openSession(deps, request), undefined)
  const session = sessionOf(deps, request, auth)
  if (session === undefined) {
    return challenge(deps, request, openSession(deps, request), {
      errcode: 'M_UNKNOWN',
      error: 'This authentication session is not known, or not any more; begin again with the one given here.',
    })
  }
  const body = bodyFor(session, request)
  requireSame(session, request, body)
  if (typeof session.state === 'object') return { kind: 'repeated', registeredNid: session.state.registeredNid, body }
  const refusal = await advance(deps, request, { auth, session, body })
  if (refusal !== undefined) return challenge(deps, request, session, refusal)
  if (!isComplete(request.flows, session.completed)) {
    return challenge(deps, request, session, { completed: true })
  }
  return claim(deps, session, body)
}

/** Without a session id, one is opened: flows of one stage need no first request. */
function sessionOf(deps: StageDeps, request: AuthRequest, auth: JsonObject): AuthSession | undefined {
  const id = auth['session']
  return typeof id === 'string' ? deps.authSessions.find(id) : openSession(deps, request)
}

function openSession(deps: StageDeps, request: AuthRequest): AuthSession {
  const { operation, user, flows, binding } = request
  const body = withoutAuth(request.body)
  const bodyHash = binding === 'first-request' ? hashOf(body) : undefined
  return deps.authSessions.open({ operation, user, flows, bodyHash, body })
}

function bodyFor(session: AuthSession, request: AuthRequest): JsonObject {
  const body = withoutAuth(request.body)
  return Object.keys(body).length === 0 ? (session.remembered ?? body) : body
}

function requireSame(session: AuthSession, request: AuthRequest, body: JsonObject): void {
  const sameBody = session.bodyHash === undefined || session.bodyHash === hashOf(body)
  if (session.operation === request.operation && session.user?.userNid === request.user?.userNid && sameBody) return
  throw matrixError(
    'M_FORBIDDEN',
    'The authentication session was begun for another request; begin a new one for this.',
  )
}

async function advance(
  deps: StageDeps,
  request: AuthRequest,
  { auth, session, body }: { readonly auth: JsonObject; readonly session: AuthSession; readonly body: JsonObject },
): Promise<StageRefusal> {
  const { type } = auth
  // Only a session: its stages were completed elsewhere, on a fallback page.
  if (type === undefined || session.completed.includes(type as StageType)) return undefined
  const stage = nextStages(request.flows, session.completed).find((next) => next === type)
  if (stage === undefined) {
    return { errcode: 'M_INVALID_PARAM', error: 'This stage is not the next one of any flow.' }
  }
  const { user, remoteAddress } = request
  const refusal = await tryStage(deps, stage, { auth, session, user, remoteAddress })
  if (refusal !== undefined) return refusal
  completeStage(session, stage)
  session.bodyHash ??= hashOf(body)
  return undefined
}

/** From here to the end of the action nobody else can use the session: a proof is used once. */
function claim(deps: StageDeps, session: AuthSession, body: JsonObject): Authorized {
  if (session.state !== 'open') {
    throw matrixError('M_FORBIDDEN', 'This authentication session is used by another request right now.')
  }
  session.state = 'claimed'
  deps.authSessions.remove(session)
  return {
    kind: 'authorized',
    session,
    body,
    finish: (registeredNid) => {
      session.state = { registeredNid }
      deps.authSessions.restore(session)
    },
    release: () => {
      session.state = 'open'
      deps.authSessions.restore(session)
    },
  }
}

function challenge(
  deps: StageDeps,
  { flows }: AuthRequest,
  session: AuthSession,
  more: NonNullable<StageRefusal> | { readonly completed: true } | undefined,
): Challenge {
  const refusal = more !== undefined && 'errcode' in more ? more : {}
  const body = {
    session: session.id,
    flows: flows.map((stages) => ({ stages })),
    params: paramsOf(deps, flows),
    ...(more === undefined ? {} : { completed: session.completed }),
    ...refusal,
  }
  return { kind: 'challenge', status: 401, body }
}

function paramsOf({ settings }: StageDeps, flows: readonly Flow[]): object {
  if (!flows.some((flow) => flow.includes('m.login.terms'))) return {}
  const policies = settings.terms.map(({ id, version, translations }) => [id, { version, ...translations }])
  return { 'm.login.terms': { policies: Object.fromEntries(policies) } }
}

function withoutAuth(body: JsonObject): JsonObject {
  const { auth: _auth, ...rest } = body
  return rest
}

/** Equal for equal bodies, whatever the order of their keys. */
function hashOf(body: JsonValue): string {
  return hash('sha256', isCanonicalValue(body) ? canonicalJson(body) : JSON.stringify(body), 'base64')
}
