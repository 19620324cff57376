/** An account that is in many rooms, built once for the sync workloads. */

import type { Bench } from '../bench.ts'
import { createRoom, joinRoom } from '../matrix/rooms.ts'
import type { Session } from '../matrix/session.ts'
import { createUsers, prepare } from './prepare.ts'
import { Sender, type Target } from './sending.ts'

export type LargeAccount = {
  readonly session: Session
  readonly sender: Sender
  /** The rooms, each with the owner who may send there. */
  readonly rooms: readonly Target[]
}

const OWNERS = 5

export function largeAccount(bench: Bench): Promise<LargeAccount> {
  return bench.once('large-account', () => build(bench))
}

async function build(bench: Bench): Promise<LargeAccount> {
  const { rooms: count, messagesPerRoom } = bench.scale.largeAccount
  const owners = await createUsers(bench, 'owner', OWNERS)
  const session = await bench.accounts.create('large')
  const sender = new Sender()
  const rooms: Target[] = []
  await prepare(bench, `rooms of the large account`, count, async (index) => {
    const owner = owners[index % OWNERS]!
    const target = { session: owner, roomId: await createRoom(owner, { name: `Room ${index}` }) }
    await joinRoom(session, target.roomId)
    for (let message = 0; message < messagesPerRoom; message += 1) await sender.send(target)
    rooms.push(target)
  })
  return { session, sender, rooms }
}
