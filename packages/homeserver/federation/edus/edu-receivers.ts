/** Who receives which EDU. */
import type { EduReceiver } from './receive-edus.ts'

export const EDU_RECEIVERS: ReadonlyMap<string, EduReceiver> = new Map([])
