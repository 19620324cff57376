/** A process that is told seeds and tells what became of each. */
import { runSeed } from '../run-seed.ts'
import { planOf } from '../world/plan.ts'

export type Order = { readonly seed: number; readonly trace: number; readonly about: string | undefined }

process.on('message', (order: Order) => {
  const options = { traceLines: order.trace, ...(order.about === undefined ? {} : { about: order.about }) }
  runSeed(order.seed, options).then(
    (result) => process.send!({ ...result, plan: JSON.stringify(planOf(order.seed)) }),
    (error: Error) => {
      throw error
    },
  )
})
