/** Lets time pass until some work is done. */
import type { World } from '../world/world.ts'

/** @throws if it is not done after so long */
export async function finish<T>({ time }: Pick<World, 'time'>, work: Promise<T>, msMax: number): Promise<T> {
  let outcome: { readonly value: T } | { readonly error: unknown } | undefined
  work.then(
    (value) => (outcome = { value }),
    (error: unknown) => (outcome = { error }),
  )
  await time.run(msMax, () => outcome !== undefined)
  const ended = outcome as { readonly value: T } | { readonly error: unknown } | undefined
  if (ended === undefined) throw new Error(`not done after ${msMax} ms`)
  if ('error' in ended) throw ended.error
  return ended.value
}
