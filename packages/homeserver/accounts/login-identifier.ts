/** Whom a login names. <https://spec.matrix.org/v1.19/client-server-api/#identifier-types> */
import { matrixError } from '@holdfast/protocol/errors'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { accountName } from './username.ts'

/**
 * The folded name of the account that a login names, in the present form or those of 2018.
 * @returns undefined if no account of this server can be meant
 * @throws M_MISSING_PARAM, M_UNKNOWN if nobody is named in a form that is known
 */
export function loginName(deps: Pick<Homeserver, 'serverName'>, body: JsonObject): string | undefined {
  const { identifier, user, medium, address } = body
  if (isObject(identifier)) return identifiedName(deps, identifier)
  if (typeof user === 'string') return accountName(deps.serverName, user)
  if (typeof medium === 'string' && typeof address === 'string') return nobody()
  throw matrixError('M_MISSING_PARAM', '`identifier` is missing.')
}

function identifiedName({ serverName }: Pick<Homeserver, 'serverName'>, identifier: JsonObject): string | undefined {
  // The text of the specification has examples of third party identifiers without a type.
  switch (identifier['type'] ?? 'm.id.thirdparty') {
    case 'm.id.user':
      return accountName(serverName, required(identifier, 'user'))
    case 'm.id.thirdparty':
      required(identifier, 'medium')
      required(identifier, 'address')
      return nobody()
    case 'm.id.phone':
      required(identifier, 'country')
      // Before the number had its name it was `number`.
      required(identifier, identifier['phone'] === undefined ? 'number' : 'phone')
      return nobody()
    default:
      throw matrixError('M_UNKNOWN', 'This server does not know this type of identifier.', { status: 400 })
  }
}

/** Accounts have no third party identifiers here: none is found, which is answered as a wrong password is. */
function nobody(): undefined {
  return undefined
}

function required(identifier: JsonObject, name: string): string {
  const value = identifier[name]
  if (value === undefined) throw matrixError('M_MISSING_PARAM', `\`identifier.${name}\` is missing.`)
  if (typeof value !== 'string') throw matrixError('M_INVALID_PARAM', `\`identifier.${name}\` must be a string.`)
  return value
}
