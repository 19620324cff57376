/** A room whose data are broken must not stop what goes out of the others. */
import { DatabaseUnavailable } from '@holdfast/platform/database/database'
import type { LogFields } from '@holdfast/platform/log/log'
import type { Homeserver } from '../../homeserver.ts'

/** Undefined, and said loudly, if it fails; not if the database cannot be asked now. */
export async function orBroken<T>(
  { log }: Pick<Homeserver, 'log'>,
  about: LogFields,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof DatabaseUnavailable) throw error
    log.error({ err: error, ...about }, 'an event cannot be sent')
    return undefined
  }
}
