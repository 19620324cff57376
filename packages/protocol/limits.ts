/**
 * Every limit, by name and unit. The first table is the specification's and may not be changed; the others are ours.
 * Where the specification is silent, the number was chosen beside what other servers use.
 */

/** Limits of the specification. */
export const SPEC_LIMITS = {
  /** An event in its federation form, as canonical JSON with signatures. <https://spec.matrix.org/v1.19/client-server-api/#size-limits> */
  eventBytesMax: 65_536,
  /** User ids, room ids, aliases, event ids, event types and state keys. */
  idBytesMax: 255,
  prevEventsMax: 20,
  authEventsMax: 10,
  /** Depth is clamped here, in every room version. */
  depthMax: Number.MAX_SAFE_INTEGER,
  transactionPdusMax: 50,
  transactionEdusMax: 100,
  toDeviceMessageIdCodePointsMax: 32,
  opaqueIdCharactersMax: 255,
  clientSecretCharactersMax: 255,
  registrationTokenCharactersMax: 64,
  pushKeyBytesMax: 512,
  pushAppIdCharactersMax: 64,
  tagBytesMax: 255,
  profileBytesMax: 65_536,
  profileKeyBytesMax: 255,
  spaceChildOrderCharactersMax: 50,
  /** A key of another server is used no longer than this after it was fetched, whatever it says of itself. */
  serverKeyValidityMsMax: 7 * 24 * 3_600_000,
  wellKnownCacheMsDefault: 24 * 3_600_000,
  wellKnownCacheMsMax: 48 * 3_600_000,
  wellKnownErrorCacheMsMax: 3_600_000,
  mediaUnusedUploadMsMax: 24 * 3_600_000,
  mediaTimeoutMsDefault: 20_000,
  relationHopsMax: 3,
  pageEventsDefault: 10,
} as const

/** Sizes of what comes in. */
export const INPUT_LIMITS = {
  /** Objects and arrays inside one another, in what clients send. Events of other servers are bounded by their size only. */
  jsonDepthMax: 100,
  clientBodyBytesMax: 262_144,
  /** Account data and end-to-end keys. */
  clientLargeBodyBytesMax: 1_048_576,
  federationTransactionBytesMax: 13_000_000,
  /** The `Authorization` header of a request between servers, with all signatures in it. */
  xMatrixCharactersMax: 8_192,
  xMatrixSignaturesMax: 8,
  /** Of one server, current and old ones together. Servers have a handful. */
  serverKeysMax: 256,
  /** Servers whose keys are asked of a notary in one request, and entries in its answer. */
  notaryServersMax: 1_000,
  /** Every other request between servers: the largest are queries for keys, and invitations with stripped state. */
  federationBodyBytesMax: 1_048_576,
  /** Identity service and push gateway. */
  serviceBodyBytesMax: 524_288,
  mediaUploadBytesMax: 52_428_800,
  toDeviceEduBytesMax: 65_536,
  /** For one device; the oldest go. */
  toDeviceWaitingMax: 20_000,
  /** Per device and algorithm. */
  oneTimeKeysMax: 500,
  pushRulesMax: 1_000,
  pushRuleBytesMax: 1_024,
  deviceIdCharactersMax: 512,
  deviceNameCharactersMax: 100,
  displayNameCharactersMax: 256,
  avatarUrlCharactersMax: 1_000,
  passwordCharactersMax: 512,
  emailCharactersMax: 254,
  keysQueryUsersMax: 1_000,
  filterBytesMax: 65_536,
  /** Entries of one list of a filter. */
  filterListEntriesMax: 10_000,
  identityLookupAddressesMax: 1_000,
  pendingUploadsPerUserMax: 5,
  strippedStateEventsMax: 100,
  headerBytesMax: 16_384,
} as const

/** Sizes of what goes out, and of pages. */
export const OUTPUT_LIMITS = {
  messagesEventsMax: 1_000,
  syncTimelineEventsMax: 100,
  syncTimelineEventsDefault: 10,
  toDevicePerSyncMax: 100,
  searchContextEventsMax: 20,
  userSearchMax: 50,
  publicRoomsMax: 100,
  hierarchyRoomsMax: 50,
  missingEventsMax: 20,
  backfillEventsMax: 100,
  missingEventsWalkMax: 1_024,
  /** Of the tips of a room, as many as an event of ours names. */
  prevEventsUsedMax: 10,
  /** Above this many tips the server adds an event of its own that joins them. */
  extremitiesSoftMax: 60,
  appServiceEventsPerTransactionMax: 100,
  pushPayloadBytesMax: 4_096,
} as const

/** Sizes of what other servers answer. */
export const RESPONSE_LIMITS = {
  wellKnownBytesMax: 51_200,
  serverKeysBytesMax: 51_200,
  openIdBytesMax: 5_120,
  normalBytesMax: 10_485_760,
  stateBytesMax: 268_435_456,
  urlPreviewBytesMax: 1_048_576,
  urlPreviewRedirectsMax: 3,
} as const

/** How long things may take or last. */
export const TIME_LIMITS = {
  syncTimeoutMsMax: 90_000,
  connectMs: 10_000,
  responseHeadersMs: 30_000,
  responseIdleMs: 30_000,
  federationRequestMs: 60_000,
  federationJoinMs: 600_000,
  federationMakeMs: 20_000,
  federationQueryMs: 10_000,
  urlPreviewMs: 15_000,
  mediaTimeoutMsMax: 60_000,
  typingMsMax: 60_000,
  presenceIdleMs: 300_000,
  presenceOfflineMs: 1_800_000,
  clientTransactionKeptMs: 24 * 3_600_000,
  federationTransactionKeptMs: 24 * 3_600_000,
  openIdTokenMs: 3_600_000,
  ssoLoginTokenMs: 30_000,
  loginTokenMs: 120_000,
  threepidSessionMs: 24 * 3_600_000,
  mailTokenMs: 3_600_000,
  inboundHeadersMs: 15_000,
  inboundBodyMs: 75_000,
  keepAliveMs: 65_000,
  destinationBackoffMsMin: 15_000,
  destinationBackoffMsMax: 24 * 3_600_000,
  backfillRetryMsMin: 3_600_000,
  backfillRetryMsMax: 256 * 3_600_000,
  pusherBackoffMsMin: 1_000,
  pusherBackoffMsMax: 3_600_000,
  appServiceRequestMs: 35_000,
  appServiceBackoffMsMin: 2_000,
  appServiceBackoffMsMax: 512_000,
} as const

/** How much is done at once, and how often something may be tried. */
export const WORK_LIMITS = {
  transactionsPerOriginMax: 3,
  transactionsTotalMax: 200,
  /** Requests of one server that wait; further ones are told to come back later. */
  requestsQueuedPerOriginMax: 50,
  /** Of all servers. */
  requestsQueuedMax: 5_000,
  requestBytesQueuedMax: 67_108_864,
  requestsQueuedMsMax: 20_000,
  /** Requests of other servers for states, histories, joins or spaces. */
  readsPerOriginMax: 3,
  readsTotalMax: 50,
  mailTokenTriesMax: 10,
  thumbnailPixelsMax: 32_000_000,
  thumbnailMs: 10_000,
} as const

/** A token bucket: so many at once, and so many more each second. */
export type RateLimit = { readonly perSecond: number; readonly burst: number }

export const RATE_LIMITS = {
  /** Per user. */
  message: { perSecond: 0.2, burst: 10 },
  /** Per address of the client. */
  registration: { perSecond: 0.17, burst: 3 },
  registrationTokenValidity: { perSecond: 0.1, burst: 5 },
  loginAddress: { perSecond: 0.003, burst: 5 },
  loginAccount: { perSecond: 0.003, burst: 5 },
  loginFailedAttempts: { perSecond: 0.17, burst: 3 },
  joinsLocal: { perSecond: 0.1, burst: 10 },
  joinsRemote: { perSecond: 0.01, burst: 10 },
  joinsPerRoom: { perSecond: 1, burst: 10 },
  invitesPerRoom: { perSecond: 0.3, burst: 10 },
  /** Per receiver. */
  invitesPerUser: { perSecond: 0.003, burst: 5 },
  invitesPerIssuer: { perSecond: 0.3, burst: 10 },
  thirdPartyInvite: { perSecond: 0.0025, burst: 5 },
  threepidValidation: { perSecond: 0.003, burst: 5 },
  mediaCreate: { perSecond: 10, burst: 50 },
  presencePerUser: { perSecond: 0.1, burst: 1 },
  delayedEvents: { perSecond: 1, burst: 5 },
  reports: { perSecond: 1, burst: 5 },
  keyRequests: { perSecond: 20, burst: 100 },
  roomCreation: { perSecond: 0.016, burst: 10 },
  userDirectory: { perSecond: 0.016, burst: 200 },
  profile: { perSecond: 1, burst: 500 },
} as const satisfies Record<string, RateLimit>
