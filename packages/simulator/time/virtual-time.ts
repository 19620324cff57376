/** One time for everybody in a simulation: it moves from one thing that is due to the next. */
import { settle } from './settle.ts'

export type VirtualTime = {
  /** Milliseconds since the simulation began. */
  readonly elapsedMs: number
  after(ms: number, action: () => void): Disposable
  sleep(ms: number): Promise<void>
  /** Goes on until so much time has passed, or until `isOver` says so between two steps. */
  run(ms: number, isOver?: () => boolean): Promise<void>
}

type Due = { readonly dueMs: number; readonly order: number; action: (() => void) | undefined }

/** Beyond this, somebody sets timers that fall due at once, for ever. */
const STEPS_MAX = 2_000_000

export function createVirtualTime(): VirtualTime {
  const heap: Due[] = []
  let elapsedMs = 0
  let order = 0
  let steps = 0

  function after(ms: number, action: () => void): Disposable {
    order += 1
    const due: Due = { dueMs: elapsedMs + (ms > 0 ? ms : 0), order, action }
    push(heap, due)
    return { [Symbol.dispose]: () => void (due.action = undefined) }
  }

  return {
    get elapsedMs() {
      return elapsedMs
    },
    after,
    sleep: (ms) => new Promise((resolve) => void after(ms, resolve)),
    run: async (ms, isOver = () => false) => {
      const untilMs = elapsedMs + ms
      await settle()
      while (!isOver()) {
        const next = heap[0]
        if (next === undefined || next.dueMs > untilMs) break
        pop(heap)
        if (next.action === undefined) continue
        elapsedMs = next.dueMs
        next.action()
        await settle()
        steps += 1
        if (steps > STEPS_MAX) throw new Error('the simulation does not come to an end')
      }
      if (!isOver()) elapsedMs = untilMs
    },
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

function push(heap: Due[], due: Due): void {
  let index = heap.push(due) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (!isBefore(due, heap[parent]!)) break
    heap[index] = heap[parent]!
    index = parent
  }
  heap[index] = due
}

function pop(heap: Due[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let index = 0
  for (;;) {
    const left = 2 * index + 1
    if (left >= heap.length) break
    const right = left + 1
    const child = right < heap.length && isBefore(heap[right]!, heap[left]!) ? right : left
    if (!isBefore(heap[child]!, last)) break
    heap[index] = heap[child]!
    index = child
  }
  heap[index] = last
}
