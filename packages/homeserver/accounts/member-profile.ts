/** The profile as membership events carry it. */
import type { Homeserver } from '../homeserver.ts'
import { loadProfile } from './profile.ts'

export type MemberProfile = { readonly displayname?: string; readonly avatar_url?: string }

/** The display name and avatar that a user of this server has now; empty for anyone else. */
export async function memberProfile(
  deps: Pick<Homeserver, 'db' | 'accounts'>,
  userNid: number,
): Promise<MemberProfile> {
  const { fields } = await loadProfile(deps, userNid)
  const { displayname, avatar_url: avatarUrl } = fields
  return {
    ...(typeof displayname === 'string' ? { displayname } : {}),
    ...(typeof avatarUrl === 'string' ? { avatar_url: avatarUrl } : {}),
  }
}
