/** A reference client: follows one user through every kill, and expects each thing once and in order. */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Body, segment } from './http.ts'
import { addEvents, emptyRecord, noteState, type RoomRecord } from './room-record.ts'
import type { Chance } from './seeded.ts'
import { constantMembers, type ExpectedEvent, type User, violated, type World } from './world.ts'

export type Syncer = {
  readonly user: User
  readonly rooms: ReadonlyMap<string, RoomRecord>
  /** Markers of to-device messages in the order of their arrival. */
  readonly notes: readonly { readonly marker: string; readonly lane: string }[]
  readonly accountData: ReadonlyMap<string, string>
  /** `roomId userId` → event id. */
  readonly receipts: ReadonlyMap<string, string>
  readonly counts: { syncs: number; broken: number; gaps: number }
  /** Whether what was acknowledged has arrived; undefined when all has. */
  missing(since: { readonly events: number; readonly notes: number }): string | undefined
  /** Lets the request under way end, and makes no other. */
  stop(): Promise<void>
}

type State = {
  readonly user: User
  readonly rooms: Map<string, RoomRecord>
  readonly notes: { marker: string; lane: string }[]
  readonly noteCounts: Map<string, number>
  readonly accountData: Map<string, string>
  readonly receipts: Map<string, string>
  readonly counts: Syncer['counts']
  readonly pauses: Chance
  since: string | undefined
}

/** Small, so that the first sync after a restart has gaps to fill. */
const TIMELINE_LIMIT = 6
const PAGE = 10
const POLL_MS = 1000
const AGAIN_MS = 15
const PAUSE_MS_MAX = 300
const FILTER = JSON.stringify({
  presence: { not_types: ['*'] },
  room: { timeline: { limit: TIMELINE_LIMIT } },
})

export function startSyncer(world: World, user: User): Syncer {
  const state: State = {
    user,
    rooms: new Map(),
    notes: [],
    noteCounts: new Map(),
    accountData: new Map(),
    receipts: new Map(),
    counts: { syncs: 0, broken: 0, gaps: 0 },
    pauses: world.chance.fork(`syncer ${user.index}`),
    since: undefined,
  }
  const control = { stopped: false }
  const ended = follow(world, state, control)
  return {
    ...state,
    missing: (from) => missing(world, state, from),
    stop: async () => {
      control.stopped = true
      await ended
    },
  }
}

async function follow(world: World, state: State, control: { readonly stopped: boolean }): Promise<void> {
  while (!control.stopped && world.violations.length === 0) {
    const since = state.since === undefined ? '' : `&since=${segment(state.since)}&timeout=${POLL_MS}`
    const path = `/sync?filter=${segment(FILTER)}${since}`
    const outcome = await world.http.send({ method: 'GET', path, token: state.user.token })
    const answer = outcome.kind === 'answered' && outcome.status === 200 ? outcome.body : undefined
    if (answer === undefined) {
      if (outcome.kind === 'answered' && outcome.status < 500) violated(world, `sync: ${JSON.stringify(outcome)}`)
      state.counts.broken += 1
      await sleep(AGAIN_MS)
      continue
    }
    // Gaps are filled first: a client that dies in between has not moved on, and asks again from where it was.
    if (!(await fillGaps(world, state, answer))) continue
    apply(world, state, answer)
    state.since = answer.next_batch
    state.counts.syncs += 1
    // One of them looks in now and then, so that much has happened meanwhile.
    if (state.user === world.users.at(-1)) await sleep(state.pauses.between(0, PAUSE_MS_MAX))
  }
}

/** Puts what a limited timeline leaves out before it. False when the server went away meanwhile. */
async function fillGaps(world: World, state: State, answer: Body): Promise<boolean> {
  for (const [roomId, section] of Object.entries<Body>(answer.rooms?.join ?? {})) {
    const record = state.rooms.get(roomId)
    if (!section.timeline.limited || record === undefined || !isConstant(world, state.user, roomId)) continue
    state.counts.gaps += 1
    const missed = await eventsBefore(world, state, { roomId, from: section.timeline.prev_batch, until: record.ids })
    if (missed === undefined) return false
    section.timeline.events.unshift(...missed)
  }
  return true
}

async function eventsBefore(
  world: World,
  { user }: State,
  { roomId, from, until }: { roomId: string; from: string; until: ReadonlySet<string> },
): Promise<Body[] | undefined> {
  const missed: Body[] = []
  for (let token: string | undefined = from; token !== undefined;) {
    const path = `/rooms/${segment(roomId)}/messages?dir=b&limit=${PAGE}&from=${segment(token)}`
    const outcome = await world.http.send({ method: 'GET', path, token: user.token })
    if (outcome.kind === 'lost' || outcome.status !== 200) return undefined
    for (const event of outcome.body.chunk) {
      if (until.has(event.event_id)) return missed
      missed.unshift(event)
    }
    token = outcome.body.end
  }
  return missed
}

function isConstant(world: World, user: User, roomId: string): boolean {
  // A room that this user has just made is not in the ledger yet; only the lobbies are left and joined again.
  return !world.lobbies.includes(roomId) || user.index === 0
}

function apply(world: World, state: State, answer: Body): void {
  for (const [roomId, section] of Object.entries<Body>(answer.rooms?.join ?? {}))
    applyJoined(world, state, roomId, section)
  for (const membership of ['leave', 'invite'] as const) {
    for (const roomId of Object.keys(answer.rooms?.[membership] ?? {})) recordOf(state, roomId).membership = membership
  }
  for (const { type, content } of answer.account_data?.events ?? []) {
    if (content.marker !== undefined) state.accountData.set(type, content.marker)
  }
  for (const { content } of answer.to_device?.events ?? []) {
    const count = (state.noteCounts.get(content.marker) ?? 0) + 1
    state.noteCounts.set(content.marker, count)
    state.notes.push(content)
    if (count > 1) violated(world, `to-device ${content.marker} arrived ${count} times`)
  }
}

function applyJoined(world: World, state: State, roomId: string, section: Body): void {
  const record = recordOf(state, roomId)
  record.membership = 'join'
  if (!isConstant(world, state.user, roomId)) return
  for (const event of section.state?.events ?? []) noteState(record, event)
  const doubles = addEvents(record, section.timeline.events)
  if (doubles.length > 0) violated(world, `sync gave ${state.user.userId} twice in ${roomId}: ${doubles.join()}`)
  for (const { type, content } of section.ephemeral?.events ?? []) {
    if (type === 'm.receipt') noteReceipts(state.receipts, roomId, content)
  }
}

export function noteReceipts(receipts: Map<string, string>, roomId: string, content: Body): void {
  for (const [eventId, kinds] of Object.entries<Body>(content)) {
    for (const userId of Object.keys(kinds['m.read'] ?? {})) receipts.set(`${roomId} ${userId}`, eventId)
  }
}

function recordOf({ rooms }: State, roomId: string): RoomRecord {
  const known = rooms.get(roomId)
  if (known !== undefined) return known
  const made = emptyRecord()
  rooms.set(roomId, made)
  return made
}

function missing(world: World, state: State, from: { events: number; notes: number }): string | undefined {
  const { events, notes, rooms } = world.ledger
  const { user } = state
  const event = events.slice(from.events).find((one) => expects(world, user, one.roomId) && !has(state, one))
  if (event !== undefined) return `${event.kind} ${event.marker} (${event.eventId}) in ${event.roomId}`
  const note = notes.slice(from.notes).find(({ to, marker }) => to === user.userId && !state.noteCounts.has(marker))
  if (note !== undefined) return `to-device ${note.marker}`
  const room = rooms.find(
    ({ creator, invited, roomId }) => [creator, invited].includes(user) && !state.rooms.has(roomId),
  )
  return room === undefined ? undefined : `room ${room.roomId} (${room.marker})`
}

function expects(world: World, user: User, roomId: string): boolean {
  return constantMembers(world, roomId).includes(user)
}

function has({ rooms }: State, { roomId, eventId, marker }: ExpectedEvent): boolean {
  const record = rooms.get(roomId)
  return record !== undefined && (eventId === undefined ? record.markers.has(marker) : record.ids.has(eventId))
}
