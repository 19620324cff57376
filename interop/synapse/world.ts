/** The two servers as the tests see them, and the rooms that must be the same on both at the end. */
import { test } from 'node:test'
import type { Pair } from './pair.ts'
import { type Person, newPerson } from './person.ts'

export type SharedRoom = { readonly roomId: string; readonly host: Person; readonly guest: Person }

/** Whose rooms these are, and who comes from elsewhere. Each direction has users of its own. */
export type Direction = {
  readonly title: string
  readonly host: Person
  readonly guest: Person
  /** Another one on the host's server. */
  readonly otherHost: Person
  /** Another one on the guest's server. */
  readonly otherGuest: Person
}

export type World = {
  readonly pair: Pair
  readonly directions: readonly Direction[]
  /** Rooms in which somebody of both is joined when their tests are over. */
  readonly shared: SharedRoom[]
  /** A test that marks the run as failed when it fails. */
  readonly rule: (name: string, body: () => Promise<void>) => void
  readonly hasFailed: () => boolean
}

export async function createWorld(pair: Pair): Promise<World> {
  const { first, second } = pair
  let failed = false
  const direction = async (host: typeof first, guest: typeof first): Promise<Direction> => ({
    title: `a room of ${host.label}, a guest of ${guest.label}`,
    host: await newPerson(host, 'host'),
    guest: await newPerson(guest, 'guest'),
    otherHost: await newPerson(host, 'other'),
    otherGuest: await newPerson(guest, 'other'),
  })
  return {
    pair,
    directions: [await direction(first, second), await direction(second, first)],
    shared: [],
    rule: (name, body) => {
      void test(name, async () => {
        try {
          await body()
        } catch (error) {
          failed = true
          throw error
        }
      })
    },
    hasFailed: () => failed,
  }
}

/** Made when first asked for; when that fails, it fails the same way for all that need it. */
export function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined
  return () => (made ??= make())
}
