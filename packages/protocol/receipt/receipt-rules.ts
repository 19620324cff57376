/** Reasons for a verdict on a received event that are no authorisation rules: a stable name and a sentence. */

export const RECEIPT_RULES = {
  'auth-events-cite-event': 'The event is among its own auth events.',
  'prev-events-cite-event': 'The event is among its own previous events.',
  'room-created-before': 'The room has another create event.',
  'policy-server-refused': 'The policy server of the room does not recommend the event.',
} as const satisfies Record<string, string>

export type ReceiptRule = keyof typeof RECEIPT_RULES
