/** EDUs of a transaction: each goes to its type's receiver, and none harms its neighbours. <https://spec.matrix.org/v1.19/server-server-api/#edus> */
import { DatabaseUnavailable } from '@holdfast/platform/database/database'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { MatrixError } from '@holdfast/protocol/errors'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import { EDU_RECEIVERS } from './edu-receivers.ts'

/** Throws a `MatrixError` for content that is not what the type wants; it is logged, and the EDU is gone. */
export type EduReceiver = (deps: Homeserver, origin: ServerName, content: JsonObject) => Promise<void>

/** Types that nobody here knows are ignored, as the specification wants it. */
export async function receiveEdus(deps: Homeserver, origin: ServerName, edus: readonly JsonObject[]): Promise<void> {
  for (const { edu_type: type, content } of edus) {
    const receiver = typeof type === 'string' ? EDU_RECEIVERS.get(type) : undefined
    if (receiver === undefined || !isObject(content)) continue
    try {
      await receiver(deps, origin, content)
    } catch (error) {
      // Without storage nothing is acknowledged; the whole transaction will come again.
      if (error instanceof DatabaseUnavailable) throw error
      if (error instanceof MatrixError) deps.log.debug({ origin, type, error: error.message }, 'an EDU was refused')
      else deps.log.error({ origin, type, error: (error as Error).stack }, 'an EDU could not be received')
    }
  }
}
