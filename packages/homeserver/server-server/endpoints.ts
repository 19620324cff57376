/** Every endpoint of the Server-Server API that is built, by the specification's file names. */
import type { Endpoint } from '../http/endpoint.ts'
import * as keysQuery from './keys_query.ts'
import * as keysServer from './keys_server.ts'
import * as version from './version.ts'

type Handlers = Readonly<Record<string, Endpoint>>

/** One line for each handler file, in alphabetical order. */
const FILES: readonly Handlers[] = [keysQuery, keysServer, version]

export const ENDPOINTS: readonly Endpoint[] = FILES.flatMap((file) => Object.values(file))
