/** Who tells other servers of what happens here and is no event. */
import type { Homeserver } from '../../homeserver.ts'
import type { PresenceTracker } from '../../presence/tracker.ts'
import type { TypingListener } from '../../typing/typing.ts'
import { PresenceSender, type PresenceSenderDeps } from './send-presence.ts'
import { openReceiptSender, type ReceiptSender, type ReceiptSenderDeps } from './send-receipts.ts'
import { openTypingSender, type TypingSenderDeps } from './send-typing.ts'

export type EduSenders = Disposable & {
  readonly receipts: ReceiptSender
  /** The following are undefined where there is no federation. */
  readonly typing: TypingListener | undefined
  readonly presence: PresenceSender | undefined
}

type SenderDeps = TypingSenderDeps & ReceiptSenderDeps & Omit<PresenceSenderDeps, 'presenceOf' | 'present'>

/** @param tracker asked when it is needed, because it tells the sender in turn */
export function openEduSenders(
  deps: SenderDeps & Pick<Homeserver, 'settings'>,
  { hasFederation, tracker }: { readonly hasFederation: boolean; readonly tracker: () => PresenceTracker },
): EduSenders {
  const receipts = openReceiptSender(deps)
  const presenceOf: PresenceSenderDeps['presenceOf'] = (userNid) => tracker().of(userNid)
  const tellsPresence = hasFederation && deps.settings.presence
  const presence = tellsPresence
    ? new PresenceSender({ ...deps, presenceOf, present: () => tracker().present })
    : undefined
  return {
    receipts,
    typing: hasFederation ? openTypingSender(deps) : undefined,
    presence,
    [Symbol.dispose]: () => {
      receipts[Symbol.dispose]()
      presence?.[Symbol.dispose]()
    },
  }
}
