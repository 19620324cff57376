/** What is said of a seed that broke a rule. */
import type { ToldResult } from './run-seeds.ts'

export function failureText(result: ToldResult): string {
  const { seed, violations, trace, plan } = result
  return [
    `seed ${seed} breaks rules: ${plan}`,
    ...trace.map((line) => `  ${line}`),
    ...violations.map(({ rule, what, atMs }) => `  ${atMs.toFixed(0)} ms ${rule}: ${what}`),
    `  again: npm run simulate -- --seeds 1 --first ${seed} --trace 1000`,
    '',
  ].join('\n')
}
