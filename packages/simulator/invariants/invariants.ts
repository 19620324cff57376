/** All rules that are checked at the end. */
import type { World } from '../world/world.ts'
import { acknowledgedIsKept } from './acknowledged-is-kept.ts'
import { authChainIsSound } from './auth-chain-is-sound.ts'
import { everybodyHears } from './everybody-hears.ts'
import { extremitiesAreTips } from './extremities-are-tips.ts'
import { membershipsMatchTheState } from './memberships-match-the-state.ts'
import { nothingWaits } from './nothing-waits.ts'
import { oneCreate } from './one-create.ts'
import { onlyOwnSignatures } from './only-own-signatures.ts'
import { ownEventsFollowAcceptedOnes } from './own-events-follow-accepted-ones.ts'
import { syncTellsAll } from './sync-tells-all.ts'

export type Invariant = (world: World) => Promise<void>

export const INVARIANTS: readonly Invariant[] = [
  acknowledgedIsKept,
  authChainIsSound,
  everybodyHears,
  extremitiesAreTips,
  membershipsMatchTheState,
  nothingWaits,
  oneCreate,
  onlyOwnSignatures,
  ownEventsFollowAcceptedOnes,
  syncTellsAll,
]
