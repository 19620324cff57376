/** An operation of the homeserver with its handler. */
import type { EndpointOf } from '@holdfast/service/http/api-service'
import type { Homeserver } from '../homeserver.ts'

export type Endpoint = EndpointOf<Homeserver>
