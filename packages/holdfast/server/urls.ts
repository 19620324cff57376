/** Addresses in the form that people and programs of this machine can open. */
import { type ListenAddress, urlOf } from '@holdfast/platform/http/listen'

/** All addresses of the machine are reached here under the one that it always has. */
export function localUrl(address: ListenAddress): string {
  const everywhere = address.host === '::' || address.host === '0.0.0.0'
  return urlOf(everywhere ? { ...address, host: 'localhost' } : address, false)
}
