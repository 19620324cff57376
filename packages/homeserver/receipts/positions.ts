/** In which rooms receipts moved, so that a sync of a busy room need not ask the database for them. */

/** By room, since the start: one number for each room with a receipt, kept for as long as we run. */
export type ReceiptPositions = {
  moved(roomNid: number, position: number): void
  /** Whether a receipt of the room may have moved after a position. */
  mayHaveMoved(roomNid: number, after: number): boolean
}

export function openReceiptPositions({ startPosition }: { readonly startPosition: number }): ReceiptPositions {
  const positions = new Map<number, number>()
  return {
    moved: (roomNid, position) => void positions.set(roomNid, position),
    mayHaveMoved: (roomNid, after) => (positions.get(roomNid) ?? startPosition) > after,
  }
}
