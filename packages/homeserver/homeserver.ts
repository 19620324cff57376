/** What every part of the homeserver may be given; modules ask for the members they use (CONTRIBUTING R8). */
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { HttpClient } from '@holdfast/platform/http/client'
import type { PasswordHasher } from '@holdfast/platform/password/password-hasher'
import type { Random } from '@holdfast/platform/random/random'
import type { AccountCaches } from './accounts/caches.ts'
import type { SharedSecretNonces } from './accounts/shared-secret.ts'
import type { E2eKeys } from './e2e-keys/e2e-keys.ts'
import type { HomeserverSettings } from './settings.ts'
import type { PublicRoomCache } from './directory/public-rooms.ts'
import type { Dictionary } from './dictionary/dictionary.ts'
import type { VerifySignatures } from './federation/keys/event-signatures.ts'
import type { ServerKeys } from './federation/keys/server-keys.ts'
import type { SigningKeys } from './federation/keys/signing-keys.ts'
import type { ReceiptSender } from './federation/edus/send-receipts.ts'
import type { ReceivedTransactions } from './federation/received-transactions.ts'
import type { Outbox } from './federation/outbox/outbox.ts'
import type { PolicyServers } from './federation/policy/policy-servers.ts'
import type { RemoteProfiles } from './federation/remote-queries/remote-profiles.ts'
import type { FederationTransport } from './federation/transport/open-transport.ts'
import type { Log } from '@holdfast/platform/log/log'
import type { PresenceTracker } from './presence/tracker.ts'
import type { RemotePresences } from './presence/remote-presence.ts'
import type { PresenceWaker } from './presence/waker.ts'
import type { RecentJoins } from './presence/recent-joins.ts'
import type { RateLimiter } from '@holdfast/service/rate-limits/rate-limiter'
import type { AuthGraph } from './rooms/auth-graph.ts'
import type { CreationTimes } from './rooms/creation-times.ts'
import type { ReceiptPositions } from './receipts/positions.ts'
import type { ReceiptWaker } from './receipts/waker.ts'
import type { EventStore } from './rooms/event-store.ts'
import type { OutgoingSignal } from './rooms/outgoing-signal.ts'
import type { IncompleteRooms } from './rooms/incomplete/incomplete-rooms.ts'
import type { RoomInboxes } from './rooms/receive/room-inboxes.ts'
import type { RoomQueue } from './rooms/room-queue.ts'
import type { RoomHeads } from './rooms/room-heads.ts'
import type { StateStore } from './rooms/state-store.ts'
import type { UserMemberships } from './rooms/user-memberships.ts'
import type { AllSlots } from './server-server/request-slots.ts'
import type { Spaces } from './spaces/hierarchy.ts'
import type { RoomNids } from './storage/nids.ts'
import type { Streams } from './streams/streams.ts'
import type { SentMembers } from './sync/sent-members.ts'
import type { TransactionGuard } from './transactions/transactions.ts'
import type { Typing } from './typing/typing.ts'
import type { AuthSessions } from './user-interactive-auth/sessions.ts'

export type Homeserver = {
  readonly serverName: ServerName
  readonly settings: HomeserverSettings
  readonly db: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** The key in use: signs events of now and, towards other servers, requests. */
  readonly signingKey: SigningKey
  /** The key that was in use at this time, ms: signs events that have been waiting for their signature. */
  readonly signingKeyAt: (timeMs: number) => SigningKey
  readonly signingKeys: SigningKeys
  /** Public keys of servers, ours among them. */
  readonly serverKeys: ServerKeys
  /** The way out of the process. */
  readonly http: HttpClient
  /** What sends to other servers. */
  readonly federation: FederationTransport
  /** Which rooms have a policy server, and what it says of events. */
  readonly policyServers: PolicyServers
  /** Carries events and EDUs to other servers. */
  readonly outbox: Outbox
  /** Integer ids of users, event types, state keys. */
  readonly dictionary: Dictionary
  /** Events by integer id and by event id, cached. */
  readonly events: EventStore
  /** Which events authorise which. */
  readonly authGraph: AuthGraph
  /** State maps by snapshot, cached. */
  readonly states: StateStore
  /** Wakes those who carry events to other servers. */
  readonly outgoing: OutgoingSignal
  /** The newest state of each room, in memory while it is used. */
  readonly heads: RoomHeads
  /** The rooms of each user. */
  readonly memberships: UserMemberships
  readonly creationTimes: CreationTimes
  /** Where events, states and rooms get their integer ids. */
  readonly nids: RoomNids
  /** The one writer of each room. */
  readonly roomQueue: RoomQueue
  /** Where the signatures of many events are verified; undefined: here, a few at a time. */
  readonly verifySignatures?: VerifySignatures
  /** Transactions of other servers that were worked off. */
  readonly federationTransactions: ReceivedTransactions
  /** How many requests of other servers are worked on at once. */
  readonly requestSlots: AllSlots
  /** What arrives for each room from other servers. */
  readonly inboxes: RoomInboxes
  /** Rooms whose state is not all here yet. */
  readonly incompleteRooms: IncompleteRooms
  /** Positions of rooms and users, and those who wait for them. */
  readonly streams: Streams
  readonly accounts: AccountCaches
  /** Which members were sent to devices that load them lazily. */
  readonly sentMembers: SentMembers
  /** Walks through spaces, and spaces of other servers. */
  readonly spaces: Spaces
  /** Entries of the public room directory. */
  readonly publicRooms: PublicRoomCache
  readonly presence: PresenceTracker
  /** What other servers say of the presence of their users. */
  readonly remotePresence: RemotePresences
  /** Wakes syncs for changes of presence. */
  readonly presenceWaker: PresenceWaker
  /** Who has begun to share a room lately. */
  readonly recentJoins: RecentJoins
  /** Who types in which room. */
  readonly typing: Typing
  /** In which rooms receipts moved. */
  readonly receiptPositions: ReceiptPositions
  /** Wakes syncs for receipts. */
  readonly receiptWaker: ReceiptWaker
  /** Tells other servers how far our users have read. */
  readonly receiptSender: ReceiptSender
  /** Profiles of other servers' users, as they were a moment ago. */
  readonly remoteProfiles: RemoteProfiles
  /** Keys of devices, changes of them, and how other servers are asked for theirs. */
  readonly e2eKeys: E2eKeys
  readonly passwords: PasswordHasher
  readonly rateLimiter: RateLimiter
  /** User-interactive authentication in progress. */
  readonly authSessions: AuthSessions
  readonly registrationNonces: SharedSecretNonces
  readonly transactions: TransactionGuard
}
