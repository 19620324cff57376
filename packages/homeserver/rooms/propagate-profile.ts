/** Telling the rooms of a user about a new display name or avatar. */
import { MatrixError } from '@holdfast/protocol/errors'
import { memberProfile } from '../accounts/member-profile.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { MembershipDeps } from './change-membership.ts'
import type { NewRoomEvent } from './room-draft.ts'

/** Renews the member event in each joined room, one after the other; a room that refuses is logged and passed over. */
export async function propagateProfile(
  deps: MembershipDeps & Pick<Homeserver, 'log'>,
  requester: Requester,
): Promise<void> {
  for (const { roomNid, membership } of (await deps.memberships.of(requester.userNid)).values()) {
    if (membership !== 'join') continue
    try {
      await renewMember(deps, requester, roomNid)
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error
      deps.log.warn({ room: roomNid, user: requester.userId, error: error.message }, 'a room does not take a profile')
    }
  }
}

async function renewMember(deps: MembershipDeps, requester: Requester, roomNid: number): Promise<void> {
  const profile = await memberProfile(deps, requester.userNid)
  const key = { type: 'm.room.member', stateKey: requester.userId }
  const base = { ...key, sender: requester.userId, originServerTs: deps.clock.nowMs() }
  const announced: NewRoomEvent = { ...base, content: { membership: 'join' } }
  await deps.roomQueue.run(roomNid, {
    prepare: () => ({ events: [announced] }),
    decide: (draft) => {
      const present = draft.stateEvent(key)?.pdu.content
      if (present?.['membership'] !== 'join') return
      const { displayname: _name, avatar_url: _avatar, join_authorised_via_users_server: _voucher, ...kept } = present
      draft.add({ ...base, content: { ...kept, ...profile } })
    },
  })
}
