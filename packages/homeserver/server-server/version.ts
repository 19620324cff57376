/** GET /_matrix/federation/v1/version <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1version> */
import * as version from '@holdfast/api/generated/server-server/version'
import manifest from '../package.json' with { type: 'json' }
import { openRoute } from './route.ts'

export const getVersion = openRoute(version.getVersion, async () => ({
  server: { name: 'Holdfast', version: manifest.version },
}))
