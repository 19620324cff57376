/** Gets the rest of an incomplete room, and does not end before the room is whole, or nobody here is in it any more. */
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../../homeserver.ts'
import { askState } from '../../federation/remote-rooms/ask.ts'
import { isResident } from '../room-heads.ts'
import { completeRoom, type CompleteDeps } from './complete-room.ts'
import type { ToldRoom } from './core-events.ts'
import { endFilling, leaveIncompleteRoom, type GiveUpDeps } from './give-up-room.ts'
import type { Filling } from './incomplete-rooms.ts'
import { begunWith, contradictionIn, takeToldState, type TakeDeps } from './take-told-state.ts'

export type FillDeps = TakeDeps & CompleteDeps & GiveUpDeps & Pick<Homeserver, 'federation' | 'log' | 'heads'>

/** The state of a large room takes a while to tell, and nobody waits for this request alone. */
const STATE_MS_MAX = 180_000
const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 30_000
/** Servers asked beside the one that let us in, one at each attempt. */
const OTHERS_MAX = 20
const LOG_EVERY_MS = 5_000

type Told = { readonly server: ServerName; readonly told: ToldRoom }

/** Never rejects. Only whoever holds the room's inbox may call it. `told` is what came with the join, if that was all. */
export async function fillRoom(deps: FillDeps, filling: Filling, told?: ToldRoom): Promise<void> {
  using _reports = reporting(deps, filling)
  const { signal } = filling
  let given: Told | undefined = told === undefined ? undefined : { server: filling.via, told }
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      if (await fillFrom(deps, filling, given ?? (await askForState(deps, filling, attempt)))) return
    } catch (error) {
      const { message } = error as Error
      const { server } = filling.progress
      deps.log.info({ room: filling.roomNid, server, error: message }, 'the state of a room is still incomplete')
    }
    given = undefined
    await deps.clock.sleep(Math.min(RETRY_MS_MIN * 2 ** Math.min(attempt, 10), RETRY_MS_MAX), signal).catch(() => {})
  }
  await endIfLeft(deps, filling)
}

/** @returns whether that is the end */
async function fillFrom(deps: FillDeps, filling: Filling, { server, told }: Told): Promise<boolean> {
  if (!isResident(await deps.heads.byNid(filling.roomNid))) return endFilling(deps, filling)
  filling.progress.server = server
  const whole = await takeToldState(deps, filling, told)
  const begun = await begunWith(deps, filling)
  const contradiction = await contradictionIn(deps, begun, whole)
  if (contradiction !== undefined) {
    deps.log.warn({ room: filling.roomNid, server, contradiction }, 'the whole state of a room contradicts its core')
    // Another server may be wrong, or lie. Of the one that let us in, one word must be false.
    if (server !== filling.via) return false
    await leaveIncompleteRoom(deps, filling)
    return endFilling(deps, filling)
  }
  if (await completeRoom(deps, filling, { begun, whole })) return true
  return endFilling(deps, filling)
}

/** The one that let us in, and one of the others every second time. */
async function askForState(deps: FillDeps, filling: Filling, attempt: number): Promise<Told> {
  const { roomId, members } = await deps.heads.byNid(filling.roomNid)
  const { join } = await begunWith(deps, filling)
  const others = [...members.servers.keys()].filter((name) => name !== filling.via).slice(0, OTHERS_MAX)
  const other = attempt % 2 === 1 ? others[Math.floor(attempt / 2) % others.length] : undefined
  const server = other ?? filling.via
  filling.progress.server = server
  return { server, told: await askOne(deps, filling, { server, roomId, eventId: join.pdu.eventId }) }
}

function askOne(
  deps: FillDeps,
  { signal }: Filling,
  { server, roomId, eventId }: { readonly server: ServerName; readonly roomId: RoomId; readonly eventId: EventId },
): Promise<ToldRoom> {
  const asking = { client: deps.federation.client, server, signal, deadlineMs: STATE_MS_MAX, urgent: true }
  return askState(asking, { roomId, eventId })
}

/** The signal ends when everybody here has left, or when this server stops: then the room stays as it is. */
async function endIfLeft(deps: FillDeps, filling: Filling): Promise<void> {
  while (!deps.incompleteRooms.isStopping) {
    try {
      await endFilling(deps, filling)
      return
    } catch (error) {
      deps.log.warn({ room: filling.roomNid, error: (error as Error).message }, 'an incomplete room could not be ended')
      await deps.clock.sleep(RETRY_MS_MIN)
    }
  }
}

function reporting({ clock, log }: FillDeps, filling: Filling): Disposable {
  const beganMs = clock.monotonicMs()
  const told = (message: string): void => {
    const { server, stored, told: of } = filling.progress
    const seconds = Math.round(clock.monotonicMs() - beganMs) / 1000
    log.info({ room: filling.roomNid, server, stored, told: of, seconds }, message)
  }
  let timer: Disposable
  const again = (): void => {
    timer = clock.after(LOG_EVERY_MS, () => {
      told('a room is being filled in')
      again()
    })
  }
  told('a room is joined before its state is all here')
  again()
  return {
    [Symbol.dispose]: () => {
      timer[Symbol.dispose]()
      told('a room is filled in, or left')
    },
  }
}
