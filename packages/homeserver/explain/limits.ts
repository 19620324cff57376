/** How much an explanation shows. What is more is counted. */
export const EXPLAIN_LIMITS = {
  serversMax: 50,
  membersMax: 20,
  roomsMax: 50,
  extremitiesMax: 20,
  stateChangesMax: 20,
  recentStateMax: 10,
  /** The newest events among which the newest state is looked for. */
  recentAmongMax: 1_000,
  refusalsMax: 10,
  keysMax: 20,
  queuedEventsMax: 1_000,
  sameIdMax: 5,
} as const
