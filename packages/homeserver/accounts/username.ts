/** The names that accounts may be given here, and the names by which people log in. */
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { localpartOf, serverNameOf } from '@holdfast/protocol/ids/common'
import { isStrictUserId, parseUserId, userIdFromLocalpart } from '@holdfast/protocol/ids/user-id'
import type { Homeserver } from '../homeserver.ts'

type NameDeps = Pick<Homeserver, 'serverName' | 'settings'>

/**
 * The user id of a name that someone would register.
 * @throws M_INVALID_USERNAME, M_EXCLUSIVE
 */
export function newUserId(deps: NameDeps, username: string): UserId {
  const localpart = foldName(username)
  const userId = userIdFromLocalpart({ localpart, serverName: deps.serverName })
  if (localpart === '' || userId === undefined || !isStrictUserId(userId)) {
    throw matrixError(
      'M_INVALID_USERNAME',
      'A user name consists of the characters a-z, 0-9, and ._=-/+ and, with the server name, of at most 255.',
    )
  }
  if (deps.settings.isExclusiveUser?.(userId) === true) {
    throw matrixError('M_EXCLUSIVE', 'This user name is reserved for an application service.')
  }
  return userId
}

/** ASCII capitals to lower case; other characters have no case that the grammar knows. */
export function foldName(localpart: string): string {
  return localpart.replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase())
}

/**
 * The folded name of the local account that is meant by a user id or localpart, as people type it.
 * @returns undefined if that cannot be a user of this server
 */
export function accountName(serverName: ServerName, typed: string): string | undefined {
  if (!typed.startsWith('@')) return typed.includes(':') ? undefined : foldName(typed)
  const userId = parseUserId(typed)
  if (userId === undefined || serverNameOf(userId) !== serverName) return undefined
  return foldName(localpartOf(userId))
}

const GENERATED_ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'
const GENERATED_CHARACTERS = 12

type GenerateDeps = Pick<Homeserver, 'serverName' | 'random'>

/** A name for who chose none. */
export function generatedUserId(deps: GenerateDeps): UserId {
  return generated(deps, '')
}

export function guestUserId(deps: GenerateDeps): UserId {
  return generated(deps, 'guest-')
}

function generated({ serverName, random }: GenerateDeps, prefix: string): UserId {
  const localpart = prefix + random.text(GENERATED_CHARACTERS, GENERATED_ALPHABET)
  return userIdFromLocalpart({ localpart, serverName })!
}
