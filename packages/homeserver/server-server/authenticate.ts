/** Which server sent a request: it signed method, target, destination and body. <https://spec.matrix.org/v1.19/server-server-api/#request-authentication> */
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import {
  type FederationRequest,
  requestSignatureText,
  type RequestSignatures,
  verifyRequest,
} from '@holdfast/protocol/federation/signed-request'
import { parseXMatrixList, type XMatrix } from '@holdfast/protocol/federation/x-matrix'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { signatureHolds } from '@holdfast/protocol/signing/sign-json'
import type { Destinations } from '../federation/transport/destinations.ts'
import type { Homeserver } from '../homeserver.ts'
import type { JsonBody } from '@holdfast/service/http/json-body'

export type AuthenticateDeps = Pick<Homeserver, 'serverName' | 'serverKeys'> & {
  readonly federation: { readonly destinations: Pick<Destinations, 'heardFrom'> }
}

/**
 * The server that sent the request. `body` parses the body; it is called only when there are keys to check it with.
 * @throws M_UNAUTHORIZED, and whatever `body` throws
 */
export async function authenticate(
  deps: AuthenticateDeps,
  request: HttpRequest,
  body: () => JsonBody | undefined,
): Promise<ServerName> {
  const credentials = credentialsOf(deps, request)
  const { origin } = credentials[0]
  const keys = await deps.serverKeys.forRequest(
    origin,
    credentials.map(({ keyId }) => keyId),
  )
  if (keys.size === 0) {
    throw unauthorized(`No key of ${origin} that the request is signed with is valid now, as far as can be told here.`)
  }
  const read = body()
  const signed = {
    method: request.method,
    uri: request.target,
    origin,
    destination: deps.serverName,
    content: read?.value,
  }
  const signatures = { credentials, keyOf: (keyId: string) => keys.get(keyId) }
  if (!isSigned({ signed, signatures, read, bytes: request.body })) {
    throw unauthorized(`The signature of ${origin} does not hold for this method, target, destination and body.`)
  }
  deps.federation.destinations.heardFrom(origin)
  return origin
}

type Credentials = readonly [XMatrix, ...XMatrix[]]

function credentialsOf({ serverName }: AuthenticateDeps, { headers }: HttpRequest): Credentials {
  const { authorization } = headers
  if (authorization === undefined) throw unauthorized('The request must be signed: it has no Authorization header.')
  const [first, ...others] = parseXMatrixList(authorization) ?? []
  if (first === undefined) throw unauthorized('The Authorization header is not one of the X-Matrix scheme.')
  if (first.destination !== undefined && first.destination !== serverName) {
    throw unauthorized(`The request is meant for ${first.destination}, but this is ${serverName}.`)
  }
  // We ask ourselves nothing over federation, so whoever claims it has our key, or makes us fetch it from ourselves.
  if (first.origin === serverName) throw unauthorized('The request claims to come from this server itself.')
  return [first, ...others]
}

type Signed = {
  readonly signed: FederationRequest
  readonly signatures: RequestSignatures
  readonly read: JsonBody | undefined
  readonly bytes: Uint8Array
}

function isSigned({ signed, signatures, read, bytes }: Signed): boolean {
  const verdict = verifyRequest(signed, signatures)
  if (verdict.valid || verdict.problem !== 'bad-signature') return verdict.valid
  return read !== undefined && !read.canonicalNumbers && isSignedAsSpelt(signed, signatures, bytes)
}

/**
 * Some servers sign `1.0` in an ephemeral event as they spell it, which is gone once it is parsed. They send what they signed, so
 * the signature is tried over the body as it came; otherwise one such number would hold up all that its server has for us.
 */
function isSignedAsSpelt(
  signed: FederationRequest,
  { credentials, keyOf }: RequestSignatures,
  bytes: Uint8Array,
): boolean {
  const withoutContent = requestSignatureText({ ...signed, content: undefined })
  if (withoutContent === undefined) return false
  const text = `{"content":${Buffer.from(bytes).toString('utf8')},${withoutContent.slice(1)}`
  return credentials.every(({ keyId, signature }) => {
    const key = keyOf(keyId)
    return key === undefined || signatureHolds(key, text, signature)
  })
}

function unauthorized(message: string): MatrixError {
  return matrixError('M_UNAUTHORIZED', message)
}
