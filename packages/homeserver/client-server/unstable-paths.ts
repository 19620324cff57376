/**
 * Clients of 2018 call what was new then by `/_matrix/client/unstable/`, though the specification of that year has it
 * on `r0` already: devices, to-device messages, keys, third parties. They have no other way.
 */
import type { Endpoint } from '../http/endpoint.ts'

const STEMS = new Set([
  'administrative_contact',
  'device_management',
  'keys',
  'notifications',
  'third_party_lookup',
  'to_device',
])
const STABLE = '/_matrix/client/r0/'
const UNSTABLE = '/_matrix/client/unstable/'

export function withUnstablePaths(endpoint: Endpoint): Endpoint {
  if (!STEMS.has(endpoint.stem)) return endpoint
  const old = endpoint.paths.filter((path) => path.startsWith(STABLE))
  return { ...endpoint, paths: [...endpoint.paths, ...old.map((path) => path.replace(STABLE, UNSTABLE))] }
}
