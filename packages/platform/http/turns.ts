/** Takes requests in a few at a time, so that a hundred that arrive together do not hold the event loop together. */

/** Begun in one turn of the event loop: 1 to 2 ms of sends. */
export const BEGUN_PER_TURN = 8

/** Begins what it is given in the order of the calls: the first ones of a turn at once, the others in the turns after it. */
export function fewPerTurn(): (begin: () => void) => void {
  const waiting: (() => void)[] = []
  let begun = 0

  function nextTurn(): void {
    begun = Math.min(waiting.length, BEGUN_PER_TURN)
    if (begun > 0) setImmediate(nextTurn)
    for (const begin of waiting.splice(0, begun)) begin()
  }

  return (begin) => {
    if (begun === BEGUN_PER_TURN) return void waiting.push(begin)
    if (begun === 0) setImmediate(nextTurn)
    begun += 1
    begin()
  }
}
