/** What users do: each action knows what follows from an answer, and how to find out when none came. */
import { type Body, segment, type Sending } from './http.ts'
import type { Chance } from './seeded.ts'
import { ask, type User, violated, type World } from './world.ts'

export type Action = {
  readonly what: string
  readonly sending: Sending
  /** It was carried out. */
  accept(body: Body): void
  /** Whether it was carried out, when no answer came; the server is up again. */
  settle(): Promise<void>
  /** May be sent again by the same transaction id, and must then give the same answer. */
  readonly repeatable: boolean
}

export type Lane = { readonly name: string; readonly user: User; readonly chance: Chance; next(): string }

type Maker = (world: World, lane: Lane) => Action | undefined

export const STATE_TYPE = 'org.holdfast.crash'
const NOTE_TYPE = 'org.holdfast.note'
/** How many of the last events are looked through for one to redact. */
const REDACTABLE = 400

/** A request with a transaction id: to be sent again until there is an answer. */
function once(world: World, what: string, sending: Sending, accept: (body: Body) => void): Action {
  return { what, sending, accept, repeatable: true, settle: async () => accept(await ask(world.http, sending)) }
}

const message: Maker = (world, lane) => {
  const roomId = lane.chance.pick(world.rooms)
  const marker = lane.next()
  const path = `/rooms/${segment(roomId)}/send/m.room.message/${marker}`
  const body = { msgtype: 'm.text', body: 'x'.repeat(lane.chance.between(1, 200)), marker }
  const { token } = lane.user
  return once(world, `message ${marker}`, { method: 'PUT', path, token, body }, ({ event_id: eventId }) => {
    world.ledger.events.push({ roomId, kind: 'message', marker, eventId, lane: lane.name })
  })
}

const redaction: Maker = (world, lane) => {
  const { events, redacted } = world.ledger
  const target = events
    .slice(-REDACTABLE)
    .find(({ kind, lane: name, eventId = '' }) => kind === 'message' && name === lane.name && !redacted.has(eventId))
  if (target?.eventId === undefined) return undefined
  const { roomId, eventId: redacts } = target
  const marker = lane.next()
  const path = `/rooms/${segment(roomId)}/redact/${segment(redacts)}/${marker}`
  const sending: Sending = { method: 'PUT', path, token: lane.user.token, body: { reason: marker } }
  return once(world, `redaction ${marker}`, sending, ({ event_id: eventId }) => {
    redacted.add(redacts)
    events.push({ roomId, kind: 'redaction', marker, eventId, lane: lane.name })
  })
}

const note: Maker = (world, lane) => {
  const to = lane.chance.pick(world.users)
  const marker = lane.next()
  const path = `/sendToDevice/${NOTE_TYPE}/${marker}`
  const body = { messages: { [to.userId]: { [to.deviceId]: { marker, lane: lane.name } } } }
  return once(world, `to-device ${marker}`, { method: 'PUT', path, token: lane.user.token, body }, () => {
    world.ledger.notes.push({ to: to.userId, marker, lane: lane.name })
  })
}

const state: Maker = (world, lane) => {
  const roomId = lane.chance.pick(world.rooms)
  const marker = lane.next()
  const path = `/rooms/${segment(roomId)}/state/${STATE_TYPE}/${segment(lane.name)}`
  const { token } = lane.user
  const slot = `${roomId} ${STATE_TYPE} ${lane.name}`
  const accept = ({ event_id: eventId }: Body): void => {
    world.ledger.state.set(slot, marker)
    world.ledger.events.push({ roomId, kind: 'state', marker, eventId, lane: lane.name })
  }
  const settle = async (): Promise<void> => {
    const outcome = await world.http.send({ method: 'GET', path: `${path}?format=event`, token })
    const found = outcome.kind === 'answered' && outcome.status === 200 ? outcome.body : undefined
    const now = found?.content.marker
    if (now === marker) accept(found)
    else expectUnchanged(world, `state ${slot}`, { now, before: world.ledger.state.get(slot), tried: marker })
  }
  return {
    what: `state ${marker}`,
    sending: { method: 'PUT', path, token, body: { marker } },
    accept,
    settle,
    repeatable: false,
  }
}

const accountData: Maker = (world, lane) => {
  const type = `org.holdfast.data.${lane.name}`
  const { userId, token } = lane.user
  const marker = lane.next()
  const path = `/user/${segment(userId)}/account_data/${type}`
  const slot = `${userId} ${type}`
  const accept = (): void => void world.ledger.accountData.set(slot, marker)
  const settle = async (): Promise<void> => {
    const outcome = await world.http.send({ method: 'GET', path, token })
    const now = outcome.kind === 'answered' && outcome.status === 200 ? outcome.body.marker : undefined
    if (now === marker) accept()
    else
      expectUnchanged(world, `account data ${slot}`, { now, before: world.ledger.accountData.get(slot), tried: marker })
  }
  return {
    what: `account data ${marker}`,
    sending: { method: 'PUT', path, token, body: { marker } },
    accept,
    settle,
    repeatable: false,
  }
}

/** For the newest event that this user's first lane has written: receipts of a user in a room then only move forward. */
const receipt: Maker = (world, lane) => {
  if (!lane.name.endsWith('a')) return undefined
  const roomId = lane.chance.pick(world.rooms)
  const read = world.ledger.events.findLast((event) => event.roomId === roomId && event.lane === lane.name)
  if (read?.eventId === undefined) return undefined
  const { eventId } = read
  const path = `/rooms/${segment(roomId)}/receipt/m.read/${segment(eventId)}`
  const sending: Sending = { method: 'POST', path, token: lane.user.token, body: {} }
  const accept = (): void => void world.ledger.receipts.set(`${roomId} ${lane.user.userId}`, eventId)
  return { ...once(world, `receipt for ${eventId}`, sending, accept), repeatable: false }
}

/** In a lobby, by the one lane of each user that does so. The owner stays. */
const comeOrGo: Maker = (world, lane) => {
  if (!lane.name.endsWith('c') || lane.user.index === 0) return undefined
  const roomId = lane.chance.pick(world.lobbies)
  const { userId, token } = lane.user
  const slot = `${roomId} ${userId}`
  const before = world.ledger.memberships.get(slot) ?? 'leave'
  const after = before === 'join' ? 'leave' : 'join'
  const marker = lane.next()
  const accept = (): void => {
    world.ledger.memberships.set(slot, after)
    world.ledger.events.push({ roomId, kind: 'membership', marker, eventId: undefined, lane: lane.name })
  }
  const settle = async (): Promise<void> => {
    const owner = world.users[0]!
    const path = `/rooms/${segment(roomId)}/state/m.room.member/${segment(userId)}`
    const outcome = await world.http.send({ method: 'GET', path, token: owner.token })
    const now = outcome.kind === 'answered' && outcome.status === 200 ? outcome.body : undefined
    if (now?.reason === marker) accept()
    else expectUnchanged(world, `membership ${slot}`, { now: now?.membership ?? 'leave', before, tried: after })
  }
  const path = `/rooms/${segment(roomId)}/${after}`
  return {
    what: `${after} ${marker}`,
    sending: { method: 'POST', path, token, body: { reason: marker } },
    accept,
    settle,
    repeatable: false,
  }
}

const newRoom: Maker = (world, lane) => {
  if (!lane.name.endsWith('b')) return undefined
  const marker = lane.next()
  const creator = lane.user
  const invited = world.users[(creator.index + 1) % world.users.length]!
  const body = {
    name: marker,
    invite: [invited.userId],
    initial_state: [{ type: STATE_TYPE, state_key: 'whole', content: { marker } }],
  }
  const accept = ({ room_id: roomId }: Body): void => void world.ledger.rooms.push({ roomId, marker, creator, invited })
  const settle = async (): Promise<void> => {
    const { joined_rooms: joined } = await ask(world.http, {
      method: 'GET',
      path: '/joined_rooms',
      token: creator.token,
    })
    for (const roomId of joined as string[]) {
      if (constantRooms(world, creator).has(roomId)) continue
      // A room that nobody was told of: it must be the one that was asked for, and whole (final checks look at all).
      accept({ room_id: roomId })
    }
  }
  return {
    what: `room ${marker}`,
    sending: { method: 'POST', path: '/createRoom', token: creator.token, body },
    accept,
    settle,
    repeatable: false,
  }
}

function constantRooms({ rooms, lobbies, ledger }: World, creator: User): Set<string> {
  const created = ledger.rooms.filter((room) => room.creator === creator).map(({ roomId }) => roomId)
  return new Set([...rooms, ...lobbies, ...created])
}

const newDevice: Maker = (world, lane) => {
  if (!lane.name.endsWith('b')) return undefined
  const { userId, token: own } = lane.user
  const device = lane.next()
  const identifier = { type: 'm.id.user', user: userId }
  const body = { type: 'm.login.password', identifier, password: world.password, device_id: device }
  const accept = ({ access_token: token }: Body): void => void world.ledger.tokens.push({ token, userId })
  // A token that nobody has got is of no use to anybody; the device may be there or not, but the account must work.
  const settle = async (): Promise<void> =>
    void (await ask(world.http, { method: 'GET', path: '/devices', token: own }))
  return {
    what: `login ${device}`,
    sending: { method: 'POST', path: '/login', body },
    accept,
    settle,
    repeatable: false,
  }
}

function expectUnchanged(
  world: World,
  what: string,
  { now, before, tried }: { now: string | undefined; before: string | undefined; tried: string },
): void {
  if (now !== before) violated(world, `${what}: was ${before}, ${tried} got no answer, now it is ${now}`)
}

const MIX: readonly (readonly [number, Maker])[] = [
  [500, message],
  [40, redaction],
  [120, note],
  [120, state],
  [60, accountData],
  [80, receipt],
  [70, comeOrGo],
  [12, newRoom],
  [2, newDevice],
]
const WHOLE = MIX.reduce((sum, [weight]) => sum + weight, 0)

export function nextAction(world: World, lane: Lane): Action {
  let at = lane.chance.fraction() * WHOLE
  const [, maker] = MIX.find(([weight]) => (at -= weight) < 0) ?? MIX[0]!
  // Not everybody can do everything at any time; everybody can talk.
  return maker(world, lane) ?? message(world, lane)!
}
