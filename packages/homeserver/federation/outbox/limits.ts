/** Bounds of what goes out. */

export const OUTBOX_LIMITS = {
  /** Of one transaction, as the specification has it. */
  pdusMax: 50,
  /** Unless one alone is longer. */
  pduCharactersMax: 1_000_000,
  edusMax: 100,
  eduCharactersMax: 2_000_000,
  /** Servers that are being sent to at once. */
  inFlightMax: 200,
  /** Of these, servers that failed before. */
  probesMax: 40,
  probeWaitMs: 5_000,
  /** Events that wait in memory for one server; what is more is read from storage. */
  queuedEventsMax: 100,
  /** A server that missed more events than this gets the newest of each room only. */
  replayedMax: 50,
  departuresReadMax: 1_000,
  /** EDUs in memory for one server. The oldest are dropped. */
  ephemeralMax: 300,
  /** EDUs in storage for one server. */
  edusKeptMax: 10_000,
  /** So many new ones for a server that does not take them, and it is looked how many there are. */
  edusUncheckedMax: 500,
  transactionMs: 60_000,
  /** How long transactions in flight are waited for at the stop. */
  drainMs: 5_000,
  /** How often it is written down how far servers have been told. */
  flushMs: 1_000,
  /** A server that has not heard of an event for so long gets a position of its own, and the others go on. */
  behindAfterMs: 5_000,
  /** Between servers that are waited for since before the start. */
  staggerMs: 20,
  eventsRoutedAtOnce: 200,
  /** Events that a report counts. */
  reportedEventsMax: 1_000,
  /** After an error that is not the server's being away. */
  troubleWaitMs: 5_000,
  /** A server that refuses our transactions: pauses double up to this. */
  refusedWaitMsMin: 2_000,
  refusedWaitMsMax: 3_600_000,
  /** A single item that a server refuses as bad so often is passed over. */
  refusalsMax: 3,
  /** Refusals of single events that are remembered. */
  refusedEventsMax: 1_000,
  refusingServersMax: 20,
  /** Rows of `outgoing_events` that stay whole while a server is behind. */
  eventsKept: 2_000,
  compactedAtOnce: 500,
  deviceListUpdatesAtOnce: 50,
} as const
