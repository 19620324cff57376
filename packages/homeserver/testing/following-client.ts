/**
 * A client that follows its rooms through /sync as the specification tells clients to, and stops with an error where an
 * answer does not fit what it has.
 */
import assert from 'node:assert/strict'
import { stateName, type RoomEvent } from './expected-room.ts'
import type { TestUser } from './homeserver.ts'

export type FollowingOptions = {
  readonly name: string
  readonly user: TestUser
  readonly timelineLimit: number
  readonly pageLimit: number
  readonly timelineTypes?: readonly string[]
  readonly lazyLoadMembers: boolean
  readonly useStateAfter: boolean
}

export type FollowedRoom = {
  isJoined: boolean
  /** Oldest first, without gaps. */
  readonly events: RoomEvent[]
  readonly ids: Set<string>
  readonly state: Map<string, string>
  readonly accountData: Map<string, unknown>
  joinedCount: number | undefined
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

export class FollowingClient {
  readonly options: FollowingOptions
  readonly rooms = new Map<string, FollowedRoom>()
  readonly accountData = new Map<string, unknown>()
  #since: string | undefined

  constructor(options: FollowingOptions) {
    this.options = options
  }

  /** One sync. `lost`: its answer does not arrive, and the same is asked again. @returns whether there was news */
  async sync(
    how: { readonly fullState?: boolean; readonly lost?: boolean; readonly timeoutMs?: number } = {},
  ): Promise<boolean> {
    const answer = await this.#ask(how)
    if (how.lost === true) return this.sync({ ...how, lost: false })
    for (const { type, content } of answer.account_data?.events ?? []) this.accountData.set(type, content)
    const { join = {}, invite = {}, knock = {}, leave = {} } = answer.rooms ?? {}
    for (const roomId of [...Object.keys(invite), ...Object.keys(knock)]) {
      const room = this.rooms.get(roomId)
      if (room !== undefined) room.isJoined = false
    }
    for (const [roomId, section] of Object.entries<Json>(join)) await this.#apply(roomId, section, true)
    for (const [roomId, section] of Object.entries<Json>(leave)) await this.#apply(roomId, section, false)
    const isNews = answer.next_batch !== this.#since
    this.#since = answer.next_batch
    return isNews
  }

  async #ask({
    fullState = false,
    timeoutMs = 0,
  }: {
    readonly fullState?: boolean
    readonly timeoutMs?: number
  }): Promise<Json> {
    const { user, timelineLimit, useStateAfter, lazyLoadMembers } = this.options
    const state = { lazy_load_members: lazyLoadMembers }
    const filter = { room: { timeline: { ...this.#timelineFilter(), limit: timelineLimit }, state } }
    const query = new URLSearchParams({ filter: JSON.stringify(filter), timeout: String(timeoutMs) })
    if (this.#since !== undefined) query.set('since', this.#since)
    if (fullState) query.set('full_state', 'true')
    if (useStateAfter) query.set('use_state_after', 'true')
    return user.ok('GET', `/sync?${query.toString()}`)
  }

  #timelineFilter(): object {
    return this.options.timelineTypes === undefined ? {} : { types: this.options.timelineTypes }
  }

  async #apply(roomId: string, section: Json, isJoined: boolean): Promise<void> {
    const known = this.rooms.get(roomId)
    // The end of an invitation stands apart: what happened before it may be read only after the next join.
    const whole: readonly RoomEvent[] = section.timeline.events
    const events = !isJoined && isRefusal(whole.at(-1), this.options.user.userId) ? whole.slice(0, -1) : whole
    if (known === undefined && !isJoined && events.length === 0 && !section.timeline.limited) return
    const room = known ?? emptyRoom()
    this.rooms.set(roomId, room)
    const overlap = events.findLastIndex(({ event_id }) => room.ids.has(event_id))
    const isAnew = section.timeline.limited && !room.isJoined
    const gap =
      section.timeline.limited && overlap < 0 ? await this.#pageBack(roomId, room, section.timeline.prev_batch) : []
    // Without what lies between, a room that was left and forgotten stays as it was known.
    const news = gap === undefined ? [] : [...gap, ...(isAnew ? events.slice(overlap + 1) : events)]
    assert.equal(gap !== undefined || !isJoined, true, `${this.options.name} may not page back in ${roomId}`)
    for (const event of news) {
      assert.equal(
        room.ids.has(event.event_id),
        false,
        `${this.options.name} is told twice of ${JSON.stringify(event)}`,
      )
      room.ids.add(event.event_id)
      room.events.push(event)
    }
    room.isJoined = isJoined
    this.#applyState(room, section, events)
    for (const { type, content } of section.account_data?.events ?? []) room.accountData.set(type, content)
    room.joinedCount = section.summary?.['m.joined_member_count'] ?? room.joinedCount
  }

  #applyState(room: FollowedRoom, section: Json, timeline: readonly RoomEvent[]): void {
    const { useStateAfter, lazyLoadMembers, name } = this.options
    const state = useStateAfter ? section.state_after.events : [...section.state.events, ...timeline]
    for (const event of state) if (event.state_key !== undefined) room.state.set(stateName(event), event.event_id)
    if (!lazyLoadMembers) return
    for (const { sender } of timeline) {
      const member = stateName({ type: 'm.room.member', state_key: sender })
      assert.equal(room.state.has(member), true, `${name} does not know the member ${sender}`)
    }
  }

  /** What lies between the events that the client has and a limited timeline, oldest first; undefined: it may not be read. */
  async #pageBack(roomId: string, room: FollowedRoom, from: string): Promise<readonly RoomEvent[] | undefined> {
    const { user, pageLimit } = this.options
    const found: RoomEvent[] = []
    const filter = encodeURIComponent(JSON.stringify(this.#timelineFilter()))
    const path = `/rooms/${encodeURIComponent(roomId)}/messages?dir=b&limit=${pageLimit}&filter=${filter}`
    let token: string | undefined = from
    while (token !== undefined) {
      const { status, body: page } = await user.request('GET', `${path}&from=${token}`)
      if (status === 403) return undefined
      assert.equal(status, 200, JSON.stringify(page))
      for (const event of page.chunk) {
        // The very newest may be out of sight since: where branches meet, a stay can turn out to have ended earlier.
        if (room.ids.has(event.event_id)) return found.toReversed()
        found.push(event)
      }
      token = page.end === token ? undefined : page.end
    }
    return found.toReversed()
  }
}

function isRefusal(event: Json, userId: string): boolean {
  if (event?.type !== 'm.room.member' || event.state_key !== userId) return false
  return ['invite', 'knock'].includes(event.unsigned?.prev_content?.membership)
}

function emptyRoom(): FollowedRoom {
  return {
    isJoined: false,
    events: [],
    ids: new Set(),
    state: new Map(),
    accountData: new Map(),
    joinedCount: undefined,
  }
}
