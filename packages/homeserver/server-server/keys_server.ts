/** GET /_matrix/key/v2/server <https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2server> */
import * as keysServer from '@holdfast/api/generated/server-server/keys_server'
import { openRoute } from './route.ts'

// The path of 2018 could name a key. All of them were answered then, too.
export const getServerKey = openRoute(keysServer.getServerKey, async ({ deps }) => deps.serverKeys.own.published())
