/** An operation with its handler, as a service calls it. */
import type { Operation, RawParams } from '@holdfast/api/operation'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { Homeserver } from '../homeserver.ts'

export type Endpoint = Operation & {
  answer(deps: Homeserver, request: HttpRequest, rawParams: RawParams): Promise<HttpResponse>
}
