/** Drives state resolution: loads what it asks for, and lets others run in between. */
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import {
  resolveState,
  type ResolutionEvent,
  type ResolutionNeeds,
  type ResolutionSource,
} from '@holdfast/protocol/state/resolution/resolution'
import type { StateMap } from '@holdfast/protocol/state/state-map'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Homeserver } from '../homeserver.ts'
import { EVENT_FLAGS } from '../storage/events.ts'
import type { StoredEventRef } from './room-changes.ts'

export type ResolveDeps = Pick<Homeserver, 'events' | 'dictionary' | 'authGraph'>

/** Events that are not stored yet, and their auth events. */
export type UnstoredEvents = {
  event(nid: number): StoredEventRef | undefined
  authNids(nid: number): readonly number[] | undefined
}

const NOTHING_UNSTORED: UnstoredEvents = { event: () => undefined, authNids: () => undefined }

/** The room's state where these states meet. */
export async function resolveStates(
  deps: ResolveDeps,
  rules: RoomRules,
  states: readonly StateMap[],
  unstored: UnstoredEvents = NOTHING_UNSTORED,
): Promise<StateMap> {
  const source = new LoadedSource(deps, unstored)
  const resolution = resolveState(rules, states, source)
  for (;;) {
    const step = resolution.next()
    if (step.done === true) return step.value
    await source.load(step.value)
  }
}

class LoadedSource implements ResolutionSource {
  readonly #deps: ResolveDeps
  readonly #unstored: UnstoredEvents
  readonly #events = new Map<number, ResolutionEvent>()
  readonly #edges = new Map<number, readonly number[]>()
  readonly #keys = new Map<string, number>()

  constructor(deps: ResolveDeps, unstored: UnstoredEvents) {
    this.#deps = deps
    this.#unstored = unstored
  }

  event(nid: number): ResolutionEvent | undefined {
    return this.#events.get(nid)
  }

  authNids(nid: number): readonly number[] | undefined {
    return this.#unstored.authNids(nid) ?? this.#edges.get(nid)
  }

  stateKeyNid(type: string, stateKey: string): number | undefined {
    return this.#keys.get(keyText(type, stateKey))
  }

  async load(needs: ResolutionNeeds): Promise<void> {
    if (needs.events.length === 0 && needs.edges.length === 0 && needs.stateKeys.length === 0) {
      await yieldToLoop()
      return
    }
    const stored: number[] = []
    for (const nid of needs.events) {
      const drafted = this.#unstored.event(nid)
      if (drafted === undefined) stored.push(nid)
      else this.#take(drafted)
    }
    const loaded = await this.#deps.events.byNids(stored)
    // A resolution that goes on without an event gives a state that no other server has.
    for (const nid of stored) if (!loaded.has(nid)) throw new Error(`event ${nid} is missing where states meet`)
    for (const event of loaded.values()) this.#take(event)
    for (const [nid, edges] of await this.#deps.authGraph.authNids(needs.edges)) this.#edges.set(nid, edges)
    for (const [type, stateKey] of needs.stateKeys) {
      const nid = await this.#deps.dictionary.stateKeyNid({ type, stateKey })
      if (nid !== undefined) this.#keys.set(keyText(type, stateKey), nid)
    }
  }

  #take({ nid, pdu, stateKeyNid, flags }: StoredEventRef): void {
    if (stateKeyNid === undefined) return
    this.#events.set(nid, { nid, pdu, stateKeyNid, rejected: (flags & EVENT_FLAGS.rejected) !== 0 })
  }
}

function keyText(type: string, stateKey: string): string {
  return `${type.length}:${type}${stateKey}`
}
