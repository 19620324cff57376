/** Which service answers a request: our own few paths first, everything else is the homeserver's. */
import type { RunningHomeserver } from '@holdfast/homeserver/open-homeserver'
import type { Secret } from '@holdfast/platform/config/secret'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { CONTROL_PATH, type ControlActions, controlResponse } from '../control/control-service.ts'
import { FIRST_RUN_PATH, type FirstRun } from '../first-run/first-run.ts'
import { type OperationsDeps, operationsResponse } from './operations.ts'

export type DispatchDeps = {
  readonly homeserver: Pick<RunningHomeserver, 'handle'>
  readonly firstRun: Pick<FirstRun, 'handle'>
  readonly control: { readonly secret: Secret; readonly actions: ControlActions }
  /** Undefined when they have a port of their own. */
  readonly operations: OperationsDeps | undefined
}

const OWN_PREFIX = '/_holdfast/'

/** Matrix's paths are for web clients of every origin; ours are for nobody's pages but our own. */
export function allowsCors(path: string): boolean {
  return path.startsWith('/_') ? !path.startsWith(OWN_PREFIX) : path.startsWith('/.well-known/matrix/')
}

export function dispatcher(deps: DispatchDeps): (request: HttpRequest) => Promise<HttpResponse> {
  return async (request) => {
    const { path } = request
    if (path.startsWith('/_matrix/')) return deps.homeserver.handle(request)
    if (path === FIRST_RUN_PATH) return deps.firstRun.handle(request)
    if (path.startsWith(CONTROL_PATH)) return controlResponse(deps.control.secret, deps.control.actions, request)
    const operations = deps.operations === undefined ? undefined : await operationsResponse(deps.operations, request)
    return operations ?? deps.homeserver.handle(request)
  }
}

const NOTHING_ELSE: HttpResponse = {
  status: 404,
  body: JSON.stringify({ errcode: 'M_UNRECOGNIZED', error: 'This port serves /health and /metrics only.' }),
}

/** For a port that serves nothing but health and metrics. */
export function operationsOnly(operations: OperationsDeps): (request: HttpRequest) => Promise<HttpResponse> {
  return async (request) => (await operationsResponse(operations, request)) ?? NOTHING_ELSE
}
