/**
 * Clients of 2018 call what was new then by `/_matrix/client/unstable/`, though the specification of that year has it
 * on `r0` already: devices, to-device messages, keys, third parties. They have no other way. Nor have those of 2020 for
 * cross-signing, which came to the specification a year later.
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
const LATER_STEMS = new Set(['cross_signing'])
const STABLE = '/_matrix/client/r0/'
const LATER_STABLE = '/_matrix/client/v3/'
const UNSTABLE = '/_matrix/client/unstable/'

export function withUnstablePaths(endpoint: Endpoint): Endpoint {
  const isLater = LATER_STEMS.has(endpoint.stem)
  if (!isLater && !STEMS.has(endpoint.stem)) return endpoint
  const stable = isLater ? LATER_STABLE : STABLE
  const old = endpoint.paths.filter((path) => path.startsWith(stable))
  return { ...endpoint, paths: [...endpoint.paths, ...old.map((path) => path.replace(stable, UNSTABLE))] }
}
