/** The load: each user does several things at once, one after another in each lane. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Action, type Lane, nextAction } from './actions.ts'
import { ask, violated, type World } from './world.ts'

export type Lanes = {
  /** Finds out what became of the requests without an answer, and repeats some that had one. */
  settle(): Promise<void>
  /** Until `stop`, or until the server is gone. */
  run(): Promise<void>
  stop(): void
}

type Moving = Lane & { pending: Action | undefined; last: { action: Action; answer: unknown } | undefined }

const LANES = ['a', 'b', 'c'] as const
const PAUSE_MS_MAX = 12
/** A server that is told to stop may say so. */
const STOPPING = new Set([502, 503])

export function openLanes(world: World): Lanes {
  const lanes = world.users.flatMap((user) => LANES.map((letter) => openLane(world, `u${user.index}${letter}`, user)))
  const state = { stopped: false }
  return {
    settle: async () => void (await Promise.all(lanes.map((lane) => settleLane(world, lane)))),
    run: async () => {
      state.stopped = false
      await Promise.all(lanes.map((lane) => runLane(world, lane, state)))
    },
    stop: () => {
      state.stopped = true
    },
  }
}

function openLane(world: World, name: string, user: Lane['user']): Moving {
  let made = 0
  const next = (): string => `${name}-${(made += 1)}`
  return { name, user, chance: world.chance.fork(name), next, pending: undefined, last: undefined }
}

async function settleLane(world: World, lane: Moving): Promise<void> {
  const { pending, last } = lane
  lane.pending = undefined
  lane.last = undefined
  if (last !== undefined) {
    world.counts.repeated += 1
    const again = await ask(world.http, last.action.sending)
    if (!isDeepStrictEqual(again, last.answer)) {
      violated(
        world,
        `${last.action.what} was answered ${show(last.answer)}, and again after the restart ${show(again)}`,
      )
    }
  }
  if (pending === undefined) return
  world.counts.settled += 1
  await pending.settle()
}

async function runLane(world: World, lane: Moving, state: { readonly stopped: boolean }): Promise<void> {
  while (!state.stopped && world.violations.length === 0) {
    const action = nextAction(world, lane)
    const outcome = await world.http.send(action.sending)
    if (outcome.kind === 'lost' || STOPPING.has(outcome.status)) {
      world.counts.lost += 1
      lane.pending = action
      return
    }
    if (outcome.status !== 200) {
      violated(world, `${action.what} was answered ${outcome.status} ${show(outcome.body)}`)
      return
    }
    world.counts.acknowledged += 1
    action.accept(outcome.body)
    if (action.repeatable) lane.last = { action, answer: outcome.body }
    await sleep(lane.chance.between(0, PAUSE_MS_MAX))
  }
}

function show(value: unknown): string {
  return JSON.stringify(value)
}
