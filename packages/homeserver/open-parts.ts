/** Opens the parts of a homeserver, each with what it needs of the others. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import type { HttpClient } from '@holdfast/platform/http/client'
import type { Log } from '@holdfast/platform/log/log'
import { createPasswordHasher, type PasswordHasher } from '@holdfast/platform/password/password-hasher'
import type { Random } from '@holdfast/platform/random/random'
import { openAccountCaches } from './accounts/caches.ts'
import { openNonces } from './accounts/shared-secret.ts'
import { openPublicRoomCache } from './directory/public-rooms.ts'
import { openDictionary } from './dictionary/dictionary.ts'
import { openEduSenders } from './federation/edus/edu-senders.ts'
import type { VerifySignatures } from './federation/keys/event-signatures.ts'
import type { KeyFetcher } from './federation/keys/key-fetcher.ts'
import { openServerKeys } from './federation/keys/server-keys.ts'
import { openSigningKeys } from './federation/keys/signing-keys.ts'
import { openOutbox } from './federation/outbox/outbox.ts'
import { openOwnPolicyServer } from './federation/policy/own/own-policy-server.ts'
import { openPolicedRooms } from './federation/policy/policed-queue.ts'
import { openReceivedTransactions } from './federation/received-transactions.ts'
import { remoteKeysOver } from './federation/remote-queries/remote-keys.ts'
import { openRemoteProfiles } from './federation/remote-queries/remote-profiles.ts'
import { keyFetcherOver } from './federation/transport/fetch-keys.ts'
import { NO_NETWORK } from './federation/transport/no-network.ts'
import { openFederationTransport } from './federation/transport/open-transport.ts'
import { openE2eKeys } from './e2e-keys/e2e-keys.ts'
import { notingMoves, type LoggedMove } from './e2e-keys/moves.ts'
import { openRecentLog } from './e2e-keys/recent-log.ts'
import type { RemoteKeys } from './e2e-keys/remote-keys.ts'
import type { Homeserver } from './homeserver.ts'
import { type Join, notingJoins, openRecentJoins } from './presence/recent-joins.ts'
import { openRemotePresence } from './presence/remote-presence.ts'
import { PresenceTracker } from './presence/tracker.ts'
import { openPresenceWaker } from './presence/waker.ts'
import { openRateLimiter } from '@holdfast/service/rate-limits/rate-limiter'
import { openReceiptPositions } from './receipts/positions.ts'
import { openReceiptWaker } from './receipts/waker.ts'
import { openAuthGraph } from './rooms/auth-graph.ts'
import { openCreationTimes } from './rooms/creation-times.ts'
import { openEventStore } from './rooms/event-store.ts'
import { openRoomHeads } from './rooms/room-heads.ts'
import { openOutgoingSignal } from './rooms/outgoing-signal.ts'
import { openIncompleteRooms } from './rooms/incomplete/incomplete-rooms.ts'
import { openRoomInboxes } from './rooms/receive/room-inboxes.ts'
import { openStateStore } from './rooms/state-store.ts'
import { openUserMemberships } from './rooms/user-memberships.ts'
import { openAllSlots } from './server-server/request-slots.ts'
import type { HomeserverSettings } from './settings.ts'
import { openRemoteSpaces } from './spaces/remote-spaces.ts'
import { openWalks } from './spaces/walks.ts'
import { openRoomNids } from './storage/nids.ts'
import { openStreams } from './streams/streams.ts'
import { openSentMembers } from './sync/sent-members.ts'
import { openTransactionGuard } from './transactions/transactions.ts'
import { openTyping } from './typing/typing.ts'
import { openAuthSessions } from './user-interactive-auth/sessions.ts'

export type HomeserverPorts = {
  readonly serverName: ServerName
  readonly settings: HomeserverSettings
  /** Opened with the migrations of `MIGRATIONS_FOLDER`. Closed by its owner, after the homeserver. */
  readonly db: Database
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** For tests: the way to the keys of other servers' users. */
  readonly remoteKeys?: RemoteKeys
  /** By default argon2id with the parameters of the platform. */
  readonly passwords?: PasswordHasher
  /** The way to other servers. Without it, this one stays alone. */
  readonly http?: HttpClient
  readonly resolver?: Resolver
  /** Where the signatures of many events are verified; by default here, a few at a time. */
  readonly verifySignatures?: VerifySignatures
  /** For tests: the way to the keys of other servers. */
  readonly keyFetcher?: KeyFetcher
}

/** What is opened together, and how it ends. */
export type OpenParts = { readonly parts: Homeserver; readonly timed: readonly Disposable[] }

export async function openParts(ports: HomeserverPorts): Promise<OpenParts> {
  const { db, clock, random } = ports
  const signingKeys = await openSigningKeys(ports)
  const signingKeyAt = (timeMs: number) => signingKeys.at(timeMs)
  const { recentJoins, moves, ...shared } = openShared(ports, (join) => senders.presence?.joined(join))
  const federation = openFederationTransport({ ...NO_NETWORK, ...ports, signingKey: () => signingKeys.current() })
  const authGraph = openAuthGraph(db)
  const accounts = openAccountCaches(db)
  const outbox = openOutbox({ ...shared, moves, federation, accounts, signingKeyAt })
  const presenceWaker = openPresenceWaker(shared)
  const hasFederation = ports.http !== undefined
  const senders = openEduSenders({ ...shared, outbox }, { hasFederation, tracker: () => presence })
  const isEnabled = ports.settings.presence
  const presence = new PresenceTracker({ ...shared, waker: presenceWaker, isEnabled, others: senders.presence })
  const remoteKeys = hasFederation ? remoteKeysOver(federation.client, clock) : undefined
  const fetcher = ports.keyFetcher ?? keyFetcherOver(federation.client)
  const rateLimiter = openRateLimiter({ clock, limits: ports.settings.rateLimits })
  const policy = ports.settings.policyServer
  const ownPolicyServer =
    policy === undefined ? undefined : await openOwnPolicyServer({ ...shared, random, rateLimiter }, policy)
  const parts: Homeserver = {
    ...shared,
    signingKeys,
    get signingKey() {
      return signingKeys.current()
    },
    signingKeyAt,
    http: ports.http ?? NO_NETWORK.http,
    federation,
    outbox,
    serverKeys: openServerKeys({ ...ports, signingKeys, fetcher, notaries: ports.settings.keyNotaries ?? [] }),
    federationTransactions: openReceivedTransactions(clock),
    requestSlots: openAllSlots(clock),
    inboxes: openRoomInboxes(clock),
    incompleteRooms: await openIncompleteRooms(ports),
    authGraph,
    ...openPolicedRooms({ ...shared, authGraph, federation, signingKeyAt, ownPolicyServer }),
    presence,
    remotePresence: openRemotePresence({ ...shared, presence }),
    presenceWaker,
    recentJoins,
    typing: openTyping({ ...shared, others: senders.typing }),
    receiptPositions: openReceiptPositions(shared.streams),
    receiptWaker: openReceiptWaker(shared),
    receiptSender: senders.receipts,
    remoteProfiles: openRemoteProfiles({ clock, client: federation.client }),
    accounts,
    e2eKeys: openE2eKeys(shared, { moves, remote: ports.remoteKeys ?? remoteKeys }),
    passwords: ports.passwords ?? createPasswordHasher({ random }),
    authSessions: openAuthSessions({ clock, random }),
    registrationNonces: openNonces({ clock, random }),
    rateLimiter,
    creationTimes: openCreationTimes(),
    sentMembers: openSentMembers(),
    spaces: { walks: openWalks(shared), remote: openRemoteSpaces({ clock, client: federation.client }) },
    publicRooms: openPublicRoomCache(),
    transactions: openTransactionGuard({ db, clock }),
  }
  const { typing, remotePresence, receiptWaker, e2eKeys } = parts
  return { parts, timed: [typing, presence, presenceWaker, remotePresence, senders, receiptWaker, e2eKeys] }
}

/** What nearly every part needs. */
function openShared(ports: HomeserverPorts, joined: (join: Join) => void) {
  const { db, clock } = ports
  const events = openEventStore(db)
  const states = openStateStore(db)
  const plainStreams = openStreams({ clock, db })
  const recentJoins = openRecentJoins(plainStreams)
  const moves = openRecentLog<LoggedMove>(() => plainStreams.startPosition)
  const add = (join: Join): void => {
    recentJoins.add(join)
    joined(join)
  }
  return {
    ...ports,
    dictionary: openDictionary(db),
    events,
    states,
    heads: openRoomHeads({ db, events, states }),
    memberships: openUserMemberships(db),
    streams: notingMoves(notingJoins(plainStreams, { ...recentJoins, add }), moves),
    outgoing: openOutgoingSignal(),
    nids: openRoomNids(db),
    recentJoins,
    moves,
  }
}
