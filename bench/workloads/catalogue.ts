/** All workloads, in the order in which they run. */

import type { Workload } from '../bench.ts'
import { createRooms } from './create-room.ts'
import { incrementalSync } from './incremental-sync.ts'
import { initialSync } from './initial-sync.ts'
import { joins } from './joins.ts'
import { idle, loaded } from './memory.ts'
import { scrollBack } from './scroll-back.ts'
import { sendManyRooms } from './send-many-rooms.ts'
import { sendOneRoom } from './send-one-room.ts'
import { wakeUp } from './wake-up.ts'

export const WORKLOADS: readonly Workload[] = [
  idle,
  sendOneRoom,
  sendManyRooms,
  wakeUp,
  createRooms,
  initialSync,
  incrementalSync,
  scrollBack,
  joins,
  loaded,
]
