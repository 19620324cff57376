/** The storage contract: one suite for every engine (CONTRIBUTING R20). */
import { commitContract } from './commits.ts'
import { crashContract } from './crash.ts'
import { lifecycleContract } from './lifecycle.ts'
import type { Engine } from './place.ts'
import { positionContract } from './positions.ts'
import { readContract } from './reads.ts'

export function databaseContract(engine: Engine): void {
  commitContract(engine)
  positionContract(engine)
  readContract(engine)
  lifecycleContract(engine)
  crashContract(engine)
}
