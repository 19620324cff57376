/** GET /versions <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientversions> */
import * as versions from '@holdfast/api/generated/client-server/versions'
import { publicRoute } from './route.ts'

/** Every release of the Client-Server API: all of them are answered by the same handlers. */
const RELEASES = `r0.0.1 r0.1.0 r0.2.0 r0.3.0 r0.4.0 r0.5.0 r0.6.0 r0.6.1
v1.1 v1.2 v1.3 v1.4 v1.5 v1.6 v1.7 v1.8 v1.9 v1.10 v1.11 v1.12 v1.13 v1.14 v1.15 v1.16 v1.17 v1.18 v1.19`.split(/\s/)

export const getVersions = publicRoute(versions.getVersions, async () => ({
  versions: RELEASES,
  // Clients from before v1.1 ask for lazily loaded members only where this is said.
  unstable_features: { 'm.lazy_load_members': true },
}))
