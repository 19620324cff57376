/**
 * What a user should see of a room, worked out from all of its events by the words of the specification and by none of the
 * code under test. <https://spec.matrix.org/v1.19/client-server-api/#room-history-visibility>
 */

export type RoomEvent = {
  readonly event_id: string
  readonly type: string
  readonly state_key?: string
  readonly sender: string
  readonly content: Readonly<Record<string, unknown>>
}

export type ExpectedRoom = {
  /** Every event that the user may read and finds by looking through the room, oldest first. */
  readonly events: readonly RoomEvent[]
  /** Those of them that came while the user was in the room. */
  readonly whileJoined: readonly RoomEvent[]
  /** Event ids by type and state key, at the end of what the user sees. */
  readonly state: ReadonlyMap<string, string>
  readonly isJoined: boolean
  /** Invited, or knocking. */
  readonly isWaiting: boolean
}

type Moment = {
  readonly event: RoomEvent
  readonly visibility: readonly [before: string, after: string]
  readonly membership: readonly [before: string, after: string]
}

export function stateName(event: Pick<RoomEvent, 'type' | 'state_key'>): string {
  return JSON.stringify([event.type, event.state_key])
}

/** `all`: the room's events from its beginning. undefined: the user was never in the room. */
export function expectedRoom(all: readonly RoomEvent[], userId: string): ExpectedRoom | undefined {
  const moments = momentsOf(all, userId)
  const lastJoined = moments.findLastIndex(({ membership }) => membership.includes('join'))
  if (lastJoined < 0) return undefined
  const isJoined = moments.at(-1)!.membership[1] === 'join'
  const seen = isJoined ? moments : moments.slice(0, lastJoined + 1)
  const lastJoin = moments.findLastIndex(({ membership }) => membership[1] === 'join')
  const readable = seen.filter((moment, index) => isReadable(moment, index < lastJoin))
  return {
    events: readable.map(({ event }) => event),
    whileJoined: readable.filter(({ membership }) => membership.includes('join')).map(({ event }) => event),
    state: new Map(
      seen.flatMap(({ event }) => (event.state_key === undefined ? [] : [[stateName(event), event.event_id]])),
    ),
    isJoined,
    isWaiting: ['invite', 'knock'].includes(moments.at(-1)!.membership[1]),
  }
}

function momentsOf(all: readonly RoomEvent[], userId: string): readonly Moment[] {
  let visibility = 'shared'
  let membership = 'none'
  return all.map((event) => {
    const before = [visibility, membership] as const
    if (event.type === 'm.room.history_visibility' && event.state_key === '') {
      visibility = event.content['history_visibility'] as string
    }
    if (event.type === 'm.room.member' && event.state_key === userId) membership = event.content['membership'] as string
    return { event, visibility: [before[0], visibility], membership: [before[1], membership] }
  })
}

function isReadable({ event, visibility, membership }: Moment, joinedAfter: boolean): boolean {
  const [was, is] = membership
  const isOwnEnd = event.type === 'm.room.member' && was !== is && (is === 'leave' || is === 'ban')
  if (isOwnEnd && ['join', 'invite', 'knock'].includes(was)) return true
  if (visibility.includes('world_readable') || membership.includes('join')) return true
  if (visibility.includes('shared') && joinedAfter) return true
  return visibility.includes('invited') && membership.includes('invite')
}
