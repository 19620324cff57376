/** Who and what takes part, and what they know to be true: everything that was acknowledged. */
import type { Chance } from './seeded.ts'
import type { Http, Outcome, Sending } from './http.ts'

export type User = {
  readonly userId: string
  readonly token: string
  readonly deviceId: string
  readonly index: number
}

/** An event that must be in its room exactly once. */
export type ExpectedEvent = {
  readonly roomId: string
  readonly kind: 'message' | 'redaction' | 'state' | 'membership'
  /** What its content holds, until it is redacted. */
  readonly marker: string
  /** Unknown for changes of membership, whose answers do not name it. */
  readonly eventId: string | undefined
  /** Of one lane, later ones come later. */
  readonly lane: string
}

export type ExpectedNote = { readonly to: string; readonly marker: string; readonly lane: string }

export type CreatedRoom = {
  readonly roomId: string
  readonly marker: string
  readonly creator: User
  readonly invited: User
}

/** What the server has acknowledged, or was found to have done. Nothing else may be there. */
export type Ledger = {
  readonly events: ExpectedEvent[]
  readonly redacted: Set<string>
  readonly notes: ExpectedNote[]
  /** `roomId type key` → marker. */
  readonly state: Map<string, string>
  /** `userId type` → marker. */
  readonly accountData: Map<string, string>
  /** `roomId userId` → event id. */
  readonly receipts: Map<string, string>
  /** `roomId userId` → membership, in the lobbies. */
  readonly memberships: Map<string, 'join' | 'leave'>
  readonly rooms: CreatedRoom[]
  readonly tokens: { readonly token: string; readonly userId: string }[]
}

export type Counts = { acknowledged: number; lost: number; settled: number; repeated: number }

export type World = {
  readonly http: Http
  readonly chance: Chance
  readonly users: readonly User[]
  /** Everybody is in them all the time. */
  readonly rooms: readonly string[]
  /** The first user is in them all the time, the others come and go. */
  readonly lobbies: readonly string[]
  readonly password: string
  readonly ledger: Ledger
  readonly counts: Counts
  /** What went wrong; each one ends the run. */
  readonly violations: string[]
}

export function emptyLedger(): Ledger {
  return {
    events: [],
    redacted: new Set(),
    notes: [],
    state: new Map(),
    accountData: new Map(),
    receipts: new Map(),
    memberships: new Map(),
    rooms: [],
    tokens: [],
  }
}

export function violated(world: Pick<World, 'violations'>, what: string): void {
  world.violations.push(what)
}

/** For requests while the server is known to be up: anything but 200 ends the run. */
export async function ask(http: Http, sending: Sending): Promise<Extract<Outcome, { kind: 'answered' }>['body']> {
  const outcome = await http.send(sending)
  if (outcome.kind === 'answered' && outcome.status === 200) return outcome.body
  throw new Error(`${sending.method} ${sending.path}: ${JSON.stringify(outcome)}`)
}

/** Who reads all of a room's events, from the beginning of the load to the end. */
export function constantMembers(world: World, roomId: string): readonly User[] {
  if (world.rooms.includes(roomId)) return world.users
  if (world.lobbies.includes(roomId)) return world.users.slice(0, 1)
  return world.ledger.rooms.filter((room) => room.roomId === roomId).map(({ creator }) => creator)
}
