/** Joins of a room that grows to many local members, and a send in it. */

import type { Bench, Workload } from '../bench.ts'
import { createRoom, joinRoom } from '../matrix/rooms.ts'
import { call, type Session } from '../matrix/session.ts'
import { Sender } from './sending.ts'
import { createUsers } from './prepare.ts'

export const joins: Workload = {
  name: 'joins',
  describes: 'joins of a public room while it is small and when it has 10,000 local members, then sends in it',
  run,
}

const FILL_IN_FLIGHT = 10

async function run(bench: Bench): Promise<void> {
  const { measured, members } = bench.scale.joins
  const owner = await bench.accounts.create('host')
  const roomId = await createRoom(owner)
  const early = await createUsers(bench, 'early', measured)
  const late = await createUsers(bench, 'late', measured)
  await measureJoins(bench, { roomId, users: early, variant: 'small room' })
  const filled = await fill(bench, roomId, members - early.length - 1)
  const size = 1 + early.length + filled
  bench.fact('joins: members of the large room', size, 'members')
  await measureJoins(bench, { roomId, users: late, variant: 'large room' })
  await measureSends(bench, { roomId, owner, variant: 'send in the large room' })
  await expectMembers({ owner, roomId, expected: size + late.length })
}

type Joining = { readonly roomId: string; readonly users: readonly Session[]; readonly variant: string }

async function measureJoins(bench: Bench, { roomId, users, variant }: Joining): Promise<void> {
  const span = { workload: joins.name, variant, inFlight: 1, operationsMax: users.length, secondsMax: 60, writes: true }
  const row = await bench.measure(span, (_, index) => joinRoom(users[index]!, roomId))
  if (row.operations < users.length) throw new Error(`only ${row.operations} of ${users.length} joins in a minute`)
}

/** Registers and joins; only the join counts as latency. */
async function fill(bench: Bench, roomId: string, count: number): Promise<number> {
  if (count <= 0) return 0
  const span = {
    workload: joins.name,
    variant: `while filling the room, ${FILL_IN_FLIGHT} in flight`,
    inFlight: FILL_IN_FLIGHT,
    operationsMax: count,
    secondsMax: bench.scale.prepareSecondsMax,
    paced: true,
    note: 'CPU includes registering the member',
  }
  const row = await bench.measure(span, async () => {
    const user = await bench.accounts.create('member')
    const startMs = performance.now()
    await joinRoom(user, roomId)
    return performance.now() - startMs
  })
  return row.operations
}

async function measureSends(bench: Bench, room: { roomId: string; owner: Session; variant: string }): Promise<void> {
  const sender = new Sender()
  const operationsMax = bench.scale.joins.measured
  await bench.measure(
    { workload: joins.name, variant: room.variant, inFlight: 1, operationsMax, writes: true },
    async () => {
      await sender.send({ session: room.owner, roomId: room.roomId })
    },
  )
  await sender.check(bench, () => room.owner)
}

async function expectMembers(room: { owner: Session; roomId: string; expected: number }): Promise<void> {
  const target = `/_matrix/client/v3/rooms/${encodeURIComponent(room.roomId)}/joined_members`
  const { joined } = await call<{ joined: object }>(room.owner, 'GET', target)
  const found = Object.keys(joined).length
  if (found !== room.expected) throw new Error(`the room has ${found} members, ${room.expected} joined`)
}
