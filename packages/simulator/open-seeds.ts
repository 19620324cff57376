/**
 * Seeds that break a rule and whose cause is not mended yet. They run with the others and are told with every run; only they may
 * fail. A seed's course moves with the product, so one that passes is no proof that its cause is gone: take it off when that is.
 */
export const OPEN_SEEDS: ReadonlyMap<number, string> = new Map([
  [118, 'after crashes beside a lying server, one server holds other branches of a room than two others'],
  [2745, 'all of both servers left a room while messages were on their way, and the rule wants them heard'],
  [3264, 'an event is refused for good where its past could not be fetched just then'],
  [3996, 'all of a server left a room while messages were on their way, and the rule wants them heard'],
  [8106, 'one server of four holds another membership of somebody than the others'],
])
