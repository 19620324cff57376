/** A server on a free port, with a log that can be read. */
import { createSystemClock } from '../../clock/system-clock.ts'
import type { LogLine } from '../../log/silent-log.ts'
import { createMemoryLog } from '../../log/silent-log.ts'
import { addressRanges } from '../address-ranges.ts'
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../server.ts'
import type { HttpRequest } from '../service.ts'

export type TestServer = HttpServer & {
  readonly port: number
  readonly log: LogLine[]
  /** What the handler was given. */
  readonly seen: HttpRequest[]
}

export async function aServer(options: Partial<HttpServerOptions> = {}): Promise<TestServer> {
  const log: LogLine[] = []
  const seen: HttpRequest[] = []
  const handle = options.handle ?? (async () => ({ status: 200, body: '{}' }))
  const server = await startHttpServer({
    listen: [{ host: '127.0.0.1', port: 0 }],
    bodyLimit: () => 1000,
    trustedProxies: addressRanges([]),
    clock: createSystemClock(),
    log: createMemoryLog(log),
    requestIdPrefix: 'test',
    ...options,
    handle: (request) => {
      seen.push(request)
      return handle(request)
    },
  })
  return {
    ...server,
    get active() {
      return server.active
    },
    port: server.addresses[0]!.port,
    log,
    seen,
  }
}
