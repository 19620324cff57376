/**
 * Whether a request was signed by a homeserver (`Authorization: X-Matrix …`).
 * <https://spec.matrix.org/v1.19/server-server-api/#request-authentication>
 */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import { OutgoingFailed } from '@holdfast/platform/http/client'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import { effectiveValidUntil } from '@holdfast/protocol/federation/key-validity'
import { parseServerKeys } from '@holdfast/protocol/federation/server-keys'
import { verifyRequest } from '@holdfast/protocol/federation/signed-request'
import { parseXMatrixList, type XMatrix } from '@holdfast/protocol/federation/x-matrix'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseJson } from '@holdfast/protocol/json/parse'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { RESPONSE_LIMITS, TIME_LIMITS } from '@holdfast/protocol/limits'
import type { VerifyKey } from '@holdfast/protocol/signing/verify-key'
import type { Homeservers } from './ask-homeserver.ts'

export type RequestSignatures = {
  /**
   * The homeserver that signed the request for this service.
   * @throws M_FORBIDDEN
   */
  origin(request: HttpRequest, content: JsonValue): Promise<ServerName>
}

type Deps = { readonly homeservers: Homeservers; readonly clock: Clock; readonly serverName: ServerName }
type Keys = { readonly keys: ReadonlyMap<string, VerifyKey>; readonly untilMs: number }

const SERVERS_MAX = 2_000
/** A server that does not answer is not asked for each request that claims to be from it. */
const FAILURE_MS = 60_000

export function isSignedByServer(request: Pick<HttpRequest, 'headers'>): boolean {
  return /^x-matrix /i.test(request.headers['authorization'] ?? '')
}

export function openRequestSignatures(deps: Deps): RequestSignatures {
  const known = new LRUCache<ServerName, Keys>(upTo(SERVERS_MAX))
  const flights = new Map<ServerName, Promise<Keys>>()

  /** From memory, unless the key that is asked for is not there. */
  async function keysOf(server: ServerName, keyIds: readonly string[]): Promise<Keys['keys']> {
    const remembered = known.get(server)
    const isFresh = remembered !== undefined && deps.clock.nowMs() < remembered.untilMs
    if (isFresh && (remembered.keys.size === 0 || keyIds.some((keyId) => remembered.keys.has(keyId)))) {
      return remembered.keys
    }
    let flight = flights.get(server)
    if (flight === undefined) {
      flight = fetchKeys(deps, server).finally(() => flights.delete(server))
      flights.set(server, flight)
    }
    const fetched = await flight
    known.set(server, fetched)
    return fetched.keys
  }

  return {
    origin: async (request, content) => {
      const credentials = parseXMatrixList(request.headers['authorization'] ?? '')
      const [first] = credentials ?? []
      if (credentials === undefined || first === undefined) throw unsigned('The Authorization header cannot be read.')
      if (first.destination !== undefined && first.destination !== deps.serverName) {
        throw unsigned(`The request is signed for ${first.destination}, and this is ${deps.serverName}.`)
      }
      const keys = await keysOf(first.origin, credentials.map(keyIdOf))
      const signed = {
        method: request.method,
        uri: request.target,
        origin: first.origin,
        destination: deps.serverName,
        content,
      }
      const verdict = verifyRequest(signed, { credentials, keyOf: (keyId) => keys.get(keyId) })
      if (!verdict.valid) throw unsigned(`The signature of ${first.origin} does not hold (${verdict.problem}).`)
      return first.origin
    },
  }
}

function keyIdOf({ keyId }: XMatrix): string {
  return keyId
}

function unsigned(message: string) {
  return matrixError('M_FORBIDDEN', message)
}

async function fetchKeys({ homeservers, clock }: Deps, server: ServerName): Promise<Keys> {
  const nothing = { keys: new Map<string, VerifyKey>(), untilMs: clock.nowMs() + FAILURE_MS }
  try {
    const { status, body } = await homeservers.ask(server, {
      method: 'GET',
      path: '/_matrix/key/v2/server',
      deadlineMs: TIME_LIMITS.federationQueryMs,
      responseBytesMax: RESPONSE_LIMITS.serverKeysBytesMax,
    })
    const parsed = status === 200 ? parseJson(body) : undefined
    const published = parsed?.ok === true ? parseServerKeys(parsed.value, server) : undefined
    if (published?.ok !== true) return nothing
    const untilMs = effectiveValidUntil(published.validUntilTs, clock.nowMs())
    // What has expired signs no requests.
    return untilMs <= clock.nowMs() ? nothing : { keys: published.verifyKeys, untilMs }
  } catch (error) {
    if (error instanceof OutgoingFailed) return nothing
    throw error
  }
}
