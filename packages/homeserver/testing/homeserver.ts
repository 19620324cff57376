/** A homeserver for tests: the real one, on SQLite in a folder of its own, asked through request records. */
import { createRouter } from '@holdfast/api/router'
import { responseProblems } from '@holdfast/api/testing/response-problems'
import type { Clock } from '@holdfast/platform/clock/clock'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import type { Database } from '@holdfast/platform/database/database'
import { temporaryFolder } from '@holdfast/platform/database/testing/temporary-folder'
import type { Resolver } from '@holdfast/platform/dns/resolver'
import type { HttpClient } from '@holdfast/platform/http/client'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { createSilentLog } from '@holdfast/platform/log/silent-log'
import { createPasswordHasher } from '@holdfast/platform/password/password-hasher'
import { createCryptoRandom } from '@holdfast/platform/random/crypto-random'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'
import type { Homeserver } from '../homeserver.ts'
import { openHomeserver, type RunningHomeserver } from '../open-homeserver.ts'
import type { HomeserverSettings } from '../settings.ts'
import { ENDPOINTS as CLIENT_SERVER_ENDPOINTS } from '../client-server/endpoints.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { ENDPOINTS as SERVER_SERVER_ENDPOINTS } from '../server-server/endpoints.ts'
import { testDatabase } from './database.ts'
import { authorization, keyOfPeer, openKeyNetwork, type KeyNetwork } from './peer.ts'

export type TestRequest = {
  readonly token?: string | undefined
  /** A value is sent as JSON, text and bytes as they are. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  readonly address?: string
}

export type TestResponse = {
  readonly status: number
  // oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
  readonly body: any
  readonly headers: Readonly<Record<string, string>>
}

export type TestHomeserver = AsyncDisposable & {
  readonly parts: Homeserver
  readonly folder: string
  handle(request: HttpRequest): Promise<HttpResponse>
  /** `target` is a path with query; a path that begins with `/_` is taken whole, others get `/_matrix/client/v3`. */
  request(method: string, target: string, options?: TestRequest): Promise<TestResponse>
  /** Like `request`, but any answer other than 200 fails the test. */
  ok(method: string, target: string, options?: TestRequest): Promise<TestResponse['body']>
  /** Registers a user, password `secret-NAME`, and logs in. */
  user(localpart: string): Promise<TestUser>
  /** Another server, whose key is known where this one asks. */
  peer(serverName: string): TestPeer
  /** The keys of other servers, as this one gets them. */
  readonly keyNetwork: KeyNetwork
  /** Stops the server and starts it again on the same data. */
  restart(): Promise<void>
}

export type TestPeer = {
  readonly serverName: ServerName
  readonly key: SigningKey
  /** Signed. `target` is a path with query below `/_matrix/federation`, or one that begins with `/_`. */
  request(method: string, target: string, body?: unknown): Promise<TestResponse>
  ok(method: string, target: string, body?: unknown): Promise<TestResponse['body']>
}

export type TestUser = {
  readonly userId: string
  readonly token: string
  readonly deviceId: string
  request(method: string, target: string, body?: unknown): Promise<TestResponse>
  ok(method: string, target: string, body?: unknown): Promise<TestResponse['body']>
}

export type TestOptions = {
  readonly settings?: Partial<HomeserverSettings>
  readonly clock?: Clock
  /** Opens another engine, on a database of its own; it is disposed with the homeserver. */
  readonly openDatabase?: (folder: string) => Promise<Database>
  readonly serverName?: string
  /** The way to other servers, also to their keys; without it nobody but `peer` servers can be reached, for their keys. */
  readonly http?: HttpClient
  readonly resolver?: Resolver
}

export const TEST_SETTINGS: HomeserverSettings = {
  publicBaseUrl: undefined,
  registration: 'open',
  registrationSharedSecret: undefined,
  terms: [],
  rateLimits: undefined,
  presence: true,
}

/** A test is not attacked, and hashing as for real is most of its time. */
const CHEAP_HASHES = { memoryKib: 64, passes: 1, parallelism: 1 } as const

export async function startTestHomeserver(options: TestOptions = {}): Promise<TestHomeserver> {
  const { path: folder, ...temporary } = await temporaryFolder()
  const database = await testDatabase(folder)
  const { clock = createSystemClock(), http, resolver } = options
  const serverName = (options.serverName ?? 'example.org') as ServerName
  const keyNetwork = openKeyNetwork(clock)
  let running: { db: Database; homeserver: RunningHomeserver } = await open()

  async function open(): Promise<{ db: Database; homeserver: RunningHomeserver }> {
    const db = await (options.openDatabase?.(folder) ?? database.open())
    const homeserver = await openHomeserver({
      serverName,
      settings: { ...TEST_SETTINGS, ...options.settings },
      db,
      clock,
      ...(http === undefined ? { keyFetcher: keyNetwork } : { http }),
      ...(resolver === undefined ? {} : { resolver }),
      random: createCryptoRandom(),
      log: createSilentLog(),
      passwords: createPasswordHasher({ random: createCryptoRandom(), parameters: CHEAP_HASHES }),
    })
    await homeserver.start()
    return { db, homeserver }
  }

  async function close(): Promise<void> {
    await running.homeserver[Symbol.asyncDispose]()
    await running.db[Symbol.asyncDispose]()
  }

  async function request(method: string, target: string, sent: TestRequest = {}): Promise<TestResponse> {
    const response = await running.homeserver.handle(requestRecord(method, target, sent))
    const text = typeof response.body === 'string' ? response.body : Buffer.from(response.body ?? []).toString()
    const isJson = response.headers?.['content-type']?.startsWith('application/json') ?? false
    const body = isJson ? JSON.parse(text) : text
    if (isJson) assertSpecified(method, target, { status: response.status, body })
    return { status: response.status, body, headers: response.headers ?? {} }
  }

  async function ok(method: string, target: string, sent?: TestRequest): Promise<TestResponse['body']> {
    const response = await request(method, target, sent)
    if (response.status === 200) return response.body
    throw new Error(`${method} ${target} answered ${response.status} ${JSON.stringify(response.body)}`)
  }

  return {
    get parts() {
      return running.homeserver.parts
    },
    folder,
    handle: (sent) => running.homeserver.handle(sent),
    request,
    ok,
    user: (localpart) => testUser(localpart, { request, ok }),
    keyNetwork,
    peer: (peerName) => {
      keyNetwork.publishes(peerName)
      return testPeer(peerName as ServerName, { destination: serverName, request })
    },
    restart: async () => {
      await close()
      running = await open()
    },
    [Symbol.asyncDispose]: async () => {
      await close()
      await database[Symbol.asyncDispose]()
      await temporary[Symbol.asyncDispose]()
    },
  }
}

async function testUser(localpart: string, { request, ok }: Pick<TestHomeserver, 'request' | 'ok'>): Promise<TestUser> {
  const body = { username: localpart, password: `secret-${localpart}`, auth: { type: 'm.login.dummy' } }
  const registered = await ok('POST', '/register', { body })
  const token = registered.access_token as string
  return {
    userId: registered.user_id,
    token,
    deviceId: registered.device_id,
    request: (method, target, sent) => request(method, target, { token, body: sent }),
    ok: (method, target, sent) => ok(method, target, { token, body: sent }),
  }
}

function testPeer(
  serverName: ServerName,
  { destination, request }: { readonly destination: ServerName; readonly request: TestHomeserver['request'] },
): TestPeer {
  const ask = (method: string, path: string, body?: unknown) => {
    const target = path.startsWith('/_') ? path : `/_matrix/federation${path}`
    const signed = { origin: serverName, destination, method, target, content: body }
    return request(method, target, { body, headers: { authorization: authorization(signed) } })
  }
  return {
    serverName,
    key: keyOfPeer(serverName),
    request: ask,
    ok: async (method, target, body) => {
      const response = await ask(method, target, body)
      if (response.status === 200) return response.body
      throw new Error(`${method} ${target} answered ${response.status} ${JSON.stringify(response.body)}`)
    },
  }
}

const router = createRouter([...CLIENT_SERVER_ENDPOINTS, ...SERVER_SERVER_ENDPOINTS])

/** Every answer in every test is held against the schema that the specification has for it. */
function assertSpecified(method: string, target: string, response: { status: number; body: unknown }): void {
  const match = router.match(method, wholeTarget(target).split('?')[0]!)
  if (match?.kind !== 'match' || !isGenerated(match.operation)) return
  const problems = responseProblems(match.operation, response)
  if (problems.length === 0) return
  throw new Error(
    `${method} ${target} answered ${JSON.stringify(response.body)}, against its schema: ${problems.join('; ')}`,
  )
}

/**
 * Schemas that say something else than is meant: one wants exactly one of a content and an event, and an event is a
 * content, too; one knows room events only, where typing, receipts, presence and account data have always been besides.
 */
const AMBIGUOUS = new Set(['getRoomStateWithKey', 'getEvents'])

/** Endpoints that no revision of the specification has carry no revision. */
function isGenerated(operation: Endpoint): boolean {
  return operation.revisions.length > 0 && !AMBIGUOUS.has(operation.id)
}

function wholeTarget(target: string): string {
  return target.startsWith('/_') || target.startsWith('/.') ? target : `/_matrix/client/v3${target}`
}

let requests = 0

function requestRecord(method: string, target: string, sent: TestRequest): HttpRequest {
  const whole = wholeTarget(target)
  const question = whole.indexOf('?')
  const headers: Record<string, string> = { ...sent.headers }
  if (sent.token !== undefined) headers['authorization'] = `Bearer ${sent.token}`
  requests += 1
  return {
    id: `test-${requests}`,
    method,
    target: whole,
    path: question < 0 ? whole : whole.slice(0, question),
    query: question < 0 ? '' : whole.slice(question + 1),
    headers,
    body: bodyBytes(sent.body),
    remoteAddress: sent.address ?? '127.0.0.1',
    signal: sent.signal ?? new AbortController().signal,
  }
}

function bodyBytes(body: unknown): Uint8Array {
  if (body === undefined) return new Uint8Array()
  if (body instanceof Uint8Array) return body
  return new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body))
}
