/** Puts a homeserver together from its parts. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Database } from '@holdfast/platform/database/database'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import type { HttpClient } from '@holdfast/platform/http/client'
import type { Service } from '@holdfast/platform/http/service'
import type { Log } from '@holdfast/platform/log/log'
import { createPasswordHasher, type PasswordHasher } from '@holdfast/platform/password/password-hasher'
import type { Random } from '@holdfast/platform/random/random'
import { openAccountCaches } from './accounts/caches.ts'
import { resumeAccounts } from './accounts/resume-accounts.ts'
import { openNonces } from './accounts/shared-secret.ts'
import { ENDPOINTS as CLIENT_SERVER_ENDPOINTS } from './client-server/endpoints.ts'
import { withUnstablePaths } from './client-server/unstable-paths.ts'
import { openPublicRoomCache } from './directory/public-rooms.ts'
import { openDictionary } from './dictionary/dictionary.ts'
import { openEduSenders } from './federation/edus/edu-senders.ts'
import { keepForgetting } from './federation/edus/forget-received.ts'
import type { VerifySignatures } from './federation/keys/event-signatures.ts'
import type { KeyFetcher } from './federation/keys/key-fetcher.ts'
import { openServerKeys } from './federation/keys/server-keys.ts'
import { openSigningKeys } from './federation/keys/signing-keys.ts'
import { openOutbox } from './federation/outbox/outbox.ts'
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
import { openApi } from './http/service.ts'
import { type Join, notingJoins, openRecentJoins } from './presence/recent-joins.ts'
import { openRemotePresence } from './presence/remote-presence.ts'
import { PresenceTracker } from './presence/tracker.ts'
import { openPresenceWaker } from './presence/waker.ts'
import { openRateLimiter } from './rate-limits/rate-limiter.ts'
import { openReceiptPositions } from './receipts/positions.ts'
import { openReceiptWaker } from './receipts/waker.ts'
import { openAuthGraph } from './rooms/auth-graph.ts'
import { openCreationTimes } from './rooms/creation-times.ts'
import { openEventStore } from './rooms/event-store.ts'
import { openRoomHeads } from './rooms/room-heads.ts'
import { openOutgoingSignal } from './rooms/outgoing-signal.ts'
import { openRoomInboxes } from './rooms/receive/room-inboxes.ts'
import { openRoomQueue } from './rooms/room-queue.ts'
import { openStateStore } from './rooms/state-store.ts'
import { openUserMemberships } from './rooms/user-memberships.ts'
import { ENDPOINTS as SERVER_SERVER_ENDPOINTS } from './server-server/endpoints.ts'
import { openAllSlots } from './server-server/request-slots.ts'
import type { HomeserverSettings } from './settings.ts'
import { checkServerName } from './server-identity.ts'
import { openRemoteSpaces } from './spaces/remote-spaces.ts'
import { openWalks } from './spaces/walks.ts'
import { openRoomNids } from './storage/nids.ts'
import { openStreams } from './streams/streams.ts'
import { openSentMembers } from './sync/sent-members.ts'
import { keepSweeping } from './transactions/sweep.ts'
import { openTransactionGuard } from './transactions/transactions.ts'
import { openTyping } from './typing/typing.ts'
import { openAuthSessions } from './user-interactive-auth/sessions.ts'

/** Where the schema of the homeserver is. */
export const MIGRATIONS_FOLDER = new URL('./storage/migrations', import.meta.url).pathname

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

export type RunningHomeserver = Service & {
  readonly parts: Homeserver
}

/** @throws if the data folder belongs to a server of another name */
export async function openHomeserver(ports: HomeserverPorts): Promise<RunningHomeserver> {
  const { db, clock, random } = ports
  await checkServerName(db, ports.serverName)
  const signingKeys = await openSigningKeys(ports)
  const dictionary = openDictionary(db)
  const events = openEventStore(db)
  const states = openStateStore(db)
  const heads = openRoomHeads({ db, events, states })
  const memberships = openUserMemberships(db)
  const plainStreams = openStreams({ clock, db })
  const recentJoins = openRecentJoins(plainStreams)
  const moves = openRecentLog<LoggedMove>(() => plainStreams.startPosition)
  const joined = (join: Join): void => {
    recentJoins.add(join)
    senders.presence?.joined(join)
  }
  const streams = notingMoves(notingJoins(plainStreams, { ...recentJoins, add: joined }), moves)
  const outgoing = openOutgoingSignal()
  const federation = openFederationTransport({ ...NO_NETWORK, ...ports, signingKey: () => signingKeys.current() })
  const nids = openRoomNids(db)
  const authGraph = openAuthGraph(db)
  const shared = { ...ports, dictionary, events, states, heads, memberships, streams, outgoing, nids }
  const accounts = openAccountCaches(db)
  const signingKeyAt = (timeMs: number) => signingKeys.at(timeMs)
  const outbox = openOutbox({ ...shared, federation, accounts, signingKeyAt })
  const presenceWaker = openPresenceWaker(shared)
  const hasFederation = ports.http !== undefined
  const senders = openEduSenders({ ...shared, outbox }, { hasFederation, tracker: () => presence })
  const { presence: others } = senders
  const isEnabled = ports.settings.presence
  const presence = new PresenceTracker({ ...shared, waker: presenceWaker, isEnabled, others })
  const remoteKeys = hasFederation ? remoteKeysOver(federation.client, clock) : undefined
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
    serverKeys: openServerKeys({
      ...ports,
      signingKeys,
      fetcher: ports.keyFetcher ?? keyFetcherOver(federation.client),
      notaries: ports.settings.keyNotaries ?? [],
    }),
    federationTransactions: openReceivedTransactions(clock),
    requestSlots: openAllSlots(clock),
    inboxes: openRoomInboxes(),
    authGraph,
    roomQueue: openRoomQueue({ ...shared, authGraph }),
    presence,
    remotePresence: openRemotePresence({ ...shared, presence }),
    presenceWaker,
    recentJoins,
    typing: openTyping({ ...shared, others: senders.typing }),
    receiptPositions: openReceiptPositions(streams),
    receiptWaker: openReceiptWaker(shared),
    receiptSender: senders.receipts,
    remoteProfiles: openRemoteProfiles({ clock, client: federation.client }),
    accounts,
    e2eKeys: openE2eKeys(shared, { moves, remote: ports.remoteKeys ?? remoteKeys }),
    passwords: ports.passwords ?? createPasswordHasher({ random }),
    authSessions: openAuthSessions({ clock, random }),
    registrationNonces: openNonces({ clock, random }),
    rateLimiter: openRateLimiter({ clock, limits: ports.settings.rateLimits }),
    creationTimes: openCreationTimes(),
    sentMembers: openSentMembers(),
    spaces: { walks: openWalks(shared), remote: openRemoteSpaces({ clock, client: federation.client }) },
    publicRooms: openPublicRoomCache(),
    transactions: openTransactionGuard({ db, clock }),
  }
  const api = openApi(parts, [...CLIENT_SERVER_ENDPOINTS.map(withUnstablePaths), ...SERVER_SERVER_ENDPOINTS])
  const stopping = new AbortController()
  return {
    parts,
    handle: api.handle,
    start: async () => {
      await parts.typing.resume()
      parts.remotePresence.resume(await parts.presence.resume())
      void keepSweeping(parts, stopping.signal)
      void keepForgetting(parts, stopping.signal)
      if (ports.http !== undefined) await outbox.start()
      // In the background: what a crash cut off can take longer than clients should wait.
      resumeAccounts(parts).catch((error: Error) => parts.log.error({ error: error.message }, 'cannot resume accounts'))
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort()
      await outbox[Symbol.asyncDispose]()
      const { typing, remotePresence, receiptWaker, e2eKeys } = parts
      const timed = [typing, presence, presenceWaker, remotePresence, senders, receiptWaker, e2eKeys]
      for (const one of timed) one[Symbol.dispose]()
    },
  }
}
