/** Who receives which EDU. */
import type { EduReceiver } from './receive-edus.ts'
import { receiveDeviceListUpdate, receiveSigningKeyUpdate } from './receive-device-lists.ts'
import { receivePresence } from './receive-presence.ts'
import { receiveReceipts } from './receive-receipts.ts'
import { receiveToDevice } from './receive-to-device.ts'
import { receiveTyping } from './receive-typing.ts'

export const EDU_RECEIVERS: ReadonlyMap<string, EduReceiver> = new Map([
  ['m.device_list_update', receiveDeviceListUpdate],
  ['m.direct_to_device', receiveToDevice],
  ['m.presence', receivePresence],
  ['m.receipt', receiveReceipts],
  ['m.signing_key_update', receiveSigningKeyUpdate],
  ['m.typing', receiveTyping],
])
