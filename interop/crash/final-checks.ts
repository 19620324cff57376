/** After the last kill: what the server holds is what it acknowledged, no more and no less, however one asks. */
import { type Body, segment } from './http.ts'
import { addEvents, emptyRecord, type RoomRecord } from './room-record.ts'
import { noteReceipts, type Syncer } from './syncer.ts'
import { STATE_TYPE } from './actions.ts'
import { ask, constantMembers, type CreatedRoom, type User, violated, type World } from './world.ts'

const PAGE = 500

export async function checkEverything(world: World, syncers: readonly Syncer[]): Promise<void> {
  const constant = [...world.rooms, ...world.lobbies, ...world.ledger.rooms.map(({ roomId }) => roomId)]
  for (const roomId of constant) await checkRoom(world, syncers, roomId)
  for (const room of world.ledger.rooms) await checkCreated(world, room)
  for (const syncer of syncers) {
    await checkJoined(world, syncer)
    await checkAccount(world, syncer)
  }
  await checkReceipts(world, syncers)
  for (const { token, userId } of world.ledger.tokens) {
    const { user_id: found } = await ask(world.http, { method: 'GET', path: '/account/whoami', token })
    expectSame(world, `the user of a token`, { found, expected: userId })
  }
}

async function checkRoom(world: World, syncers: readonly Syncer[], roomId: string): Promise<void> {
  const members = constantMembers(world, roomId)
  const [reader] = members
  if (reader === undefined) return
  const forwards = await walk(world, reader, { roomId, direction: 'f' })
  const backwards = await walk(world, reader, { roomId, direction: 'b' })
  const ids = forwards.map((event) => event.event_id)
  expectSame(world, `${roomId} read from its end`, {
    found: backwards.map((one) => one.event_id).toReversed(),
    expected: ids,
  })
  const record = emptyRecord()
  const doubles = addEvents(record, forwards)
  if (doubles.length > 0) violated(world, `${roomId} holds twice: ${doubles.join()}`)
  checkAcknowledged(world, roomId, record)
  const current: Body[] = await ask(world.http, {
    method: 'GET',
    path: `/rooms/${segment(roomId)}/state`,
    token: reader.token,
  })
  checkState(world, roomId, current)
  for (const syncer of syncers.filter(({ user }) => members.includes(user))) {
    checkFollower(world, syncer, { roomId, ids, current })
  }
}

async function walk(
  world: World,
  { token }: User,
  { roomId, direction }: { roomId: string; direction: 'f' | 'b' },
): Promise<Body[]> {
  const events: Body[] = []
  for (let from: string | undefined = ''; from !== undefined;) {
    const start = from === '' ? '' : `&from=${segment(from)}`
    const path = `/rooms/${segment(roomId)}/messages?dir=${direction}&limit=${PAGE}${start}`
    const page: Body = await ask(world.http, { method: 'GET', path, token })
    events.push(...page.chunk)
    from = page.end
  }
  return events
}

/** Each acknowledged event once, those of a lane in their order, and none that was not acknowledged. */
function checkAcknowledged(world: World, roomId: string, record: RoomRecord): void {
  const expected = world.ledger.events.filter((event) => event.roomId === roomId)
  const places = new Map(record.events.map(({ eventId }, place) => [eventId, place]))
  const markerPlaces = new Map(record.events.map(({ marker }, place) => [marker, place]))
  const last = new Map<string, number>()
  for (const { eventId, marker, lane, kind } of expected) {
    const place = eventId === undefined ? markerPlaces.get(marker) : places.get(eventId)
    if (place === undefined) violated(world, `lost: ${kind} ${marker} (${eventId}) in ${roomId}`)
    else if (place < (last.get(lane) ?? -1)) violated(world, `out of order: ${kind} ${marker} in ${roomId}`)
    last.set(lane, place ?? last.get(lane) ?? -1)
    const count = record.markers.get(marker) ?? 0
    const wanted = eventId !== undefined && world.ledger.redacted.has(eventId) ? 0 : 1
    if (place !== undefined && count !== wanted)
      violated(world, `${kind} ${marker} in ${roomId}: ${count} times, not ${wanted}`)
  }
  const created = world.ledger.rooms.find((room) => room.roomId === roomId)
  const known = new Set([created?.marker, ...expected.map(({ marker }) => marker)])
  const strangers = record.events.filter(({ marker }) => marker !== undefined && !known.has(marker))
  if (strangers.length > 0) violated(world, `nobody knows of ${JSON.stringify(strangers)} in ${roomId}`)
}

function checkState(world: World, roomId: string, current: readonly Body[]): void {
  for (const [slot, marker] of world.ledger.state) {
    const [room, type, key] = slot.split(' ')
    if (room !== roomId) continue
    const found = current.find((event) => event.type === type && event.state_key === key)?.content.marker
    expectSame(world, `state ${slot}`, { found, expected: marker })
  }
  for (const [slot, membership] of world.ledger.memberships) {
    const [room, userId] = slot.split(' ')
    if (room !== roomId) continue
    const found = current.find((event) => event.type === 'm.room.member' && event.state_key === userId)?.content
      .membership
    expectSame(world, `membership ${slot}`, { found, expected: membership })
  }
}

/** What came by sync is what the room holds, from where this client began. */
function checkFollower(
  world: World,
  { user, rooms }: Syncer,
  { roomId, ids, current }: { roomId: string; ids: readonly string[]; current: readonly Body[] },
): void {
  const record = rooms.get(roomId)
  const seen = record?.events.map(({ eventId }) => eventId) ?? []
  const expected = ids.slice(ids.indexOf(seen[0] ?? ''))
  expectSame(world, `what ${user.userId} saw of ${roomId}`, { found: seen, expected })
  const state = current.map((event) => `${event.type} ${event.state_key} ${event.event_id}`).toSorted()
  const followed = [...(record?.state ?? [])].map(([slot, eventId]) => `${slot} ${eventId}`).toSorted()
  expectSame(world, `the state that ${user.userId} followed in ${roomId}`, { found: followed, expected: state })
}

/** No room is half made. */
async function checkCreated(world: World, { roomId, marker, creator, invited }: CreatedRoom): Promise<void> {
  const path = `/rooms/${segment(roomId)}/state`
  const events: Body[] = await ask(world.http, { method: 'GET', path, token: creator.token })
  const contentOf = (type: string, key = ''): Body =>
    events.find((event) => event.type === type && event.state_key === key)?.content ?? {}
  expectSame(world, `the parts of room ${roomId}`, {
    found: [
      contentOf('m.room.name').name,
      contentOf(STATE_TYPE, 'whole').marker,
      contentOf('m.room.member', creator.userId).membership,
      contentOf('m.room.member', invited.userId).membership,
      contentOf('m.room.join_rules').join_rule,
      events.some(({ type }) => type === 'm.room.power_levels'),
    ],
    expected: [marker, marker, 'join', 'invite', 'invite', true],
  })
}

async function checkJoined(world: World, { user, rooms }: Syncer): Promise<void> {
  const { joined_rooms: joined } = await ask(world.http, { method: 'GET', path: '/joined_rooms', token: user.token })
  const lobbies = world.lobbies.filter(
    (roomId) => user.index === 0 || world.ledger.memberships.get(`${roomId} ${user.userId}`) === 'join',
  )
  const created = world.ledger.rooms.filter(({ creator }) => creator === user).map(({ roomId }) => roomId)
  const expected = [...world.rooms, ...lobbies, ...created].toSorted()
  expectSame(world, `the rooms of ${user.userId}`, { found: (joined as string[]).toSorted(), expected })
  const followed = [...rooms].filter(([, { membership }]) => membership === 'join').map(([roomId]) => roomId)
  expectSame(world, `the rooms that ${user.userId} followed`, { found: followed.toSorted(), expected })
  const invited = [...rooms].filter(([, { membership }]) => membership === 'invite').map(([roomId]) => roomId)
  const invitations = world.ledger.rooms.filter((room) => room.invited === user).map(({ roomId }) => roomId)
  expectSame(world, `the invites of ${user.userId}`, { found: invited.toSorted(), expected: invitations.toSorted() })
}

async function checkAccount(world: World, { user, accountData, notes }: Syncer): Promise<void> {
  for (const [slot, marker] of world.ledger.accountData) {
    const [userId, type = ''] = slot.split(' ')
    if (userId !== user.userId) continue
    const path = `/user/${segment(user.userId)}/account_data/${type}`
    const stored = await ask(world.http, { method: 'GET', path, token: user.token })
    expectSame(world, `account data ${slot}`, { found: stored.marker, expected: marker })
    expectSame(world, `account data ${slot} by sync`, { found: accountData.get(type), expected: marker })
  }
  const sent = world.ledger.notes.filter(({ to }) => to === user.userId)
  for (const lane of new Set(sent.map((note) => note.lane))) {
    expectSame(world, `the to-device messages of ${lane} to ${user.userId}`, {
      found: notes.filter((note) => note.lane === lane).map(({ marker }) => marker),
      expected: sent.filter((note) => note.lane === lane).map(({ marker }) => marker),
    })
  }
}

/** By those who followed, and by one who asks anew. */
async function checkReceipts(world: World, syncers: readonly Syncer[]): Promise<void> {
  const filter = segment(JSON.stringify({ presence: { not_types: ['*'] }, room: { timeline: { limit: 1 } } }))
  const { token } = world.users.at(-1)!
  const answer: Body = await ask(world.http, { method: 'GET', path: `/sync?filter=${filter}`, token })
  const fresh = new Map<string, string>()
  for (const [roomId, section] of Object.entries<Body>(answer.rooms.join)) {
    for (const { type, content } of section.ephemeral.events)
      if (type === 'm.receipt') noteReceipts(fresh, roomId, content)
  }
  for (const [slot, eventId] of world.ledger.receipts) {
    expectSame(world, `the receipt ${slot}`, { found: fresh.get(slot), expected: eventId })
    for (const { user, receipts } of syncers) {
      expectSame(world, `the receipt ${slot} that ${user.userId} followed`, {
        found: receipts.get(slot),
        expected: eventId,
      })
    }
  }
}

function expectSame(
  world: World,
  what: string,
  { found, expected }: { readonly found: unknown; readonly expected: unknown },
): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) return
  if (!Array.isArray(found) || !Array.isArray(expected)) {
    violated(world, `${what}: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`)
    return
  }
  const at = expected.findIndex((one, index) => JSON.stringify(one) !== JSON.stringify(found[index]))
  const place = at < 0 ? expected.length : at
  violated(
    world,
    `${what}: ${found.length} items, not ${expected.length}; at ${place} ${JSON.stringify(found[place])}, not ${JSON.stringify(expected[place])}`,
  )
}
