/** The `Authorization` header of requests between servers. <https://spec.matrix.org/v1.19/server-server-api/#request-authentication> */
import type { ServerName } from '../ids/brand.ts'
import { parseServerName } from '../ids/server-name.ts'
import { INPUT_LIMITS } from '../limits.ts'
import { isKeyId } from './key-id.ts'

export type XMatrix = {
  readonly origin: ServerName
  /** Older servers leave it out; the request is then meant for whoever received it. */
  readonly destination: ServerName | undefined
  readonly keyId: string
  readonly signature: string
}

const { xMatrixCharactersMax, xMatrixSignaturesMax } = INPUT_LIMITS

const HEADER = /^[\t\u0020-\u007e\u0080-\u00ff]*$/
const SCHEME = /x-matrix +[ \t,]*/iy
// Unquoted values may hold more than RFC 9110 allows: colons by the specification, slashes and brackets because older servers
// send signatures and addresses bare.
const PARAMETER = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s",\\]+))[ \t]*(?:,[ \t,]*|$)/y

/** The one set of credentials in the header; undefined when there is none, more than one, or anything wrong with it. */
export function parseXMatrix(header: string): XMatrix | undefined {
  const list = parseXMatrixList(header)
  return list?.length === 1 ? list[0] : undefined
}

/**
 * As `parseXMatrix`, for a request signed with several keys: one header each, joined by commas on the way here. All are of one
 * origin and for one destination. Takes time linear in the length of the header.
 */
export function parseXMatrixList(header: string): readonly XMatrix[] | undefined {
  if (header.length > xMatrixCharactersMax || !HEADER.test(header)) return undefined
  const list: XMatrix[] = []
  let index = 0
  while (index < header.length) {
    const start = matchAt(SCHEME, header, index)
    const parameters = start === undefined ? undefined : readParameters(header, start.end)
    const credentials = parameters === undefined ? undefined : credentialsOf(parameters.values)
    if (parameters === undefined || credentials === undefined || list.length === xMatrixSignaturesMax) return undefined
    list.push(credentials)
    index = parameters.end
  }
  const [first] = list
  if (first === undefined) return undefined
  const agree = list.every(({ origin, destination }) => origin === first.origin && destination === first.destination)
  return agree ? list : undefined
}

export type XMatrixParts = {
  readonly origin: ServerName
  readonly destination: ServerName
  readonly keyId: string
  readonly signature: string
}

/** In the one spelling that every server reads. */
export function buildXMatrix({ origin, destination, keyId, signature }: XMatrixParts): string {
  return `X-Matrix origin="${origin}",destination="${destination}",key="${keyId}",sig="${signature}"`
}

type Matched = { readonly groups: readonly (string | undefined)[]; readonly end: number }

function matchAt(sticky: RegExp, text: string, index: number): Matched | undefined {
  sticky.lastIndex = index
  const match = sticky.exec(text)
  return match === null ? undefined : { groups: match, end: sticky.lastIndex }
}

type Parameters = { readonly values: ReadonlyMap<string, string>; readonly end: number }

/** All parameters up to the next scheme or the end; undefined if one comes twice. */
function readParameters(header: string, from: number): Parameters | undefined {
  const values = new Map<string, string>()
  let end = from
  for (let match = matchAt(PARAMETER, header, end); match !== undefined; match = matchAt(PARAMETER, header, end)) {
    const [, name = '', quoted, bare = ''] = match.groups
    const key = name.toLowerCase()
    if (values.has(key)) return undefined
    values.set(key, quoted === undefined ? bare : quoted.replaceAll(/\\(.)/g, '$1'))
    end = match.end
  }
  return { values, end }
}

function credentialsOf(values: ReadonlyMap<string, string>): XMatrix | undefined {
  const origin = parseServerName(values.get('origin') ?? '')
  const destination = values.get('destination')
  const named = destination === undefined ? undefined : parseServerName(destination)
  const keyId = values.get('key') ?? ''
  // The text of the specification calls it `signature`; its examples and all servers write `sig`.
  const signature = values.get('sig') ?? values.get('signature') ?? ''
  const isDouble = values.has('sig') && values.has('signature')
  if (origin === undefined || (destination !== undefined && named === undefined)) return undefined
  if (!isKeyId(keyId) || signature === '' || isDouble) return undefined
  return { origin, destination: named, keyId, signature }
}
