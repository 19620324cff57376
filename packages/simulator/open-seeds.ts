/**
 * Seeds that break a rule and whose cause is not mended yet. They run with the others and are told with every run; only they may
 * fail. A seed's course moves with the product, so one that passes is no proof that its cause is gone: take it off when that is.
 */
export const OPEN_SEEDS: ReadonlyMap<number, string> = new Map([
  [118, 'after crashes beside a lying server, one server holds other branches of a room than two others'],
])
