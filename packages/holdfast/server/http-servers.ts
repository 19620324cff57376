/** The ports that the configuration asks for. */
import type { HttpServer, HttpServerOptions } from '@holdfast/platform/http/server'
import { startHttpServer } from '@holdfast/platform/http/server'
import { watchFiles } from '@holdfast/platform/http/tls-files'
import { httpMetrics } from '@holdfast/platform/metrics/http-metrics'
import type { Metrics } from '@holdfast/platform/metrics/metrics'
import { bodyLimit } from './body-limits.ts'
import { allowsCors } from './dispatch.ts'
import type { HoldfastPorts } from './ports.ts'
import { StartProblem } from './start-problem.ts'

type Handle = HttpServerOptions['handle']

export type HttpServers = {
  /** The first is the plain one that clients use. */
  readonly all: readonly HttpServer[]
  reload(): Promise<void>
  close(deadlineMs: number): Promise<void>
}

export type Handlers = {
  readonly main: Handle
  /** For the port of health and metrics. */
  readonly operations: Handle
}

const REQUEST_ID_PREFIX_CHARACTERS = 6

export async function startHttpServers(
  ports: HoldfastPorts,
  metrics: Metrics,
  { main, operations }: Handlers,
): Promise<HttpServers> {
  const { config, clock, random, log } = ports
  const onFinished = httpMetrics(metrics)
  await using opening = new AsyncDisposableStack()
  const all: HttpServer[] = []
  const start = async (part: Pick<HttpServerOptions, 'handle' | 'listen' | 'tls'>) => {
    const server = await startHttpServer({
      bodyLimit,
      trustedProxies: config.trustedProxies,
      clock,
      log: log.named('http'),
      requestIdPrefix: random.text(REQUEST_ID_PREFIX_CHARACTERS),
      cors: allowsCors,
      onFinished,
      compressResponses: config.compressResponses,
      logRequests: config.logRequests,
      ...part,
    })
    all.push(opening.use(server))
    return server
  }
  await start({ handle: main, listen: config.listen })
  const { tlsListen, tlsCert: certFile, tlsKey: keyFile } = config
  if (tlsListen !== undefined && certFile !== undefined && keyFile !== undefined) {
    const tls = { certFile, keyFile }
    const server = await start({ handle: main, listen: tlsListen, tls }).catch(explainCertificate)
    opening.use(watchFiles(tls, clock, () => server.reloadCertificate()))
  }
  if (config.metricsListen !== undefined) await start({ handle: operations, listen: config.metricsListen })
  const resources = opening.move()
  return {
    all,
    reload: async () => void (await Promise.all(all.map((server) => server.reloadCertificate()))),
    close: async (deadlineMs) => {
      await Promise.all(all.map((server) => server.close(deadlineMs)))
      await resources.disposeAsync()
    },
  }
}

function explainCertificate(error: unknown): never {
  if (error instanceof Error && error.name === 'ListenFailed') throw error
  const message = error instanceof Error ? error.message : String(error)
  throw new StartProblem('settings', `tls_cert and tls_key cannot be used: ${message}`, { cause: error })
}
