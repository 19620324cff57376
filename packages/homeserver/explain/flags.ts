/** What the marks on a stored event mean. */
import { EVENT_FLAGS } from '../storage/events.ts'

export type EventMark = { readonly name: string; readonly meaning: string }

const MARKS: readonly (readonly [bit: number, name: string, meaning: string])[] = [
  [EVENT_FLAGS.rejected, 'rejected', 'It breaks a rule of the room. Nobody sees it, and it changes nothing.'],
  [
    EVENT_FLAGS.softFailed,
    'soft-failed',
    'It was allowed when it was sent, but not any more when it arrived. Clients do not see it.',
  ],
  [EVENT_FLAGS.outlier, 'outlier', 'It is known because other events name it; it is on no timeline here.'],
  [EVENT_FLAGS.gap, 'gap', 'Events right before it are not here; other servers have them.'],
  [
    EVENT_FLAGS.partlyKnown,
    'partly known',
    'Its sender left before the state of the room was all here: of the state after it a part is known.',
  ],
  [EVENT_FLAGS.unsigned, 'unsigned', 'It is signed before another server sees it.'],
]

export function marksOf(flags: number): readonly EventMark[] {
  return MARKS.flatMap(([bit, name, meaning]) => ((flags & bit) === 0 ? [] : [{ name, meaning }]))
}
