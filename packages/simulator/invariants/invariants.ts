/** All rules that are checked at the end. */
import type { World } from '../world/world.ts'
import { acknowledgedIsKept } from './acknowledged-is-kept.ts'

export type Invariant = (world: World) => Promise<void>

export const INVARIANTS: readonly Invariant[] = [acknowledgedIsKept]
