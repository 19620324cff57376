/** The resolver of a running server. */
import type { Clock } from '../clock/clock.ts'
import { createCachingResolver } from './caching-resolver.ts'
import type { Resolver } from './resolver.ts'
import { createSystemSource } from './system-source.ts'

export function createSystemResolver(clock: Clock): Resolver {
  return createCachingResolver({ source: createSystemSource({ clock }), clock })
}
