/** How much of everything a run makes. */

export type Scale = {
  /** No measured span lasts longer. */
  readonly spanSecondsMax: number
  /** No preparation (filling a room, building an account) lasts longer; what was reached is told. */
  readonly prepareSecondsMax: number
  readonly sends: {
    readonly operationsMax: number
    readonly inFlight: readonly number[]
    readonly rooms: number
    readonly users: number
  }
  readonly wakeUps: { readonly rounds: number; readonly waiters: number; readonly waiterRounds: number }
  readonly createRooms: { readonly operationsMax: number; readonly inFlight: readonly number[] }
  readonly largeAccount: { readonly rooms: number; readonly messagesPerRoom: number }
  readonly syncs: { readonly initial: number; readonly incremental: number }
  readonly scrollBack: { readonly messages: number; readonly pageLimit: number; readonly pagesMax: number }
  readonly joins: { readonly members: number; readonly measured: number }
  readonly settleSeconds: number
}

export const FULL: Scale = {
  spanSecondsMax: 10,
  prepareSecondsMax: 600,
  sends: { operationsMax: 20_000, inFlight: [1, 10, 64, 100], rooms: 100, users: 10 },
  wakeUps: { rounds: 300, waiters: 100, waiterRounds: 30 },
  createRooms: { operationsMax: 200, inFlight: [1, 10] },
  largeAccount: { rooms: 500, messagesPerRoom: 5 },
  syncs: { initial: 5, incremental: 200 },
  scrollBack: { messages: 1000, pageLimit: 50, pagesMax: 2000 },
  joins: { members: 10_000, measured: 200 },
  settleSeconds: 5,
}

export const QUICK: Scale = {
  spanSecondsMax: 2,
  prepareSecondsMax: 60,
  sends: { operationsMax: 5_000, inFlight: [1, 10, 64, 100], rooms: 20, users: 10 },
  wakeUps: { rounds: 50, waiters: 20, waiterRounds: 10 },
  createRooms: { operationsMax: 50, inFlight: [1, 10] },
  largeAccount: { rooms: 50, messagesPerRoom: 5 },
  syncs: { initial: 3, incremental: 50 },
  scrollBack: { messages: 200, pageLimit: 50, pagesMax: 200 },
  joins: { members: 100, measured: 20 },
  settleSeconds: 1,
}
