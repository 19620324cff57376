/** Lets time pass until some work is done. */
import type { World } from '../world/world.ts'

/** @throws if it is not done after so long */
export async function finish<T>({ time }: Pick<World, 'time'>, work: Promise<T>, msMax: number): Promise<T> {
  let isOver = false
  const ended = (): void => {
    isOver = true
  }
  work.then(ended, ended)
  await time.run(msMax, () => isOver)
  if (!isOver) throw new Error(`not done after ${msMax} ms`)
  return work
}
