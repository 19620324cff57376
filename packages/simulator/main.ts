#!/usr/bin/env node
/** `npm run simulate -- --seeds 500 --first 1`: seeds FIRST to FIRST+SEEDS-1. */
import { readOptions } from './command/options.ts'
import { runSeeds } from './command/run-seeds.ts'

const options = readOptions(process.argv.slice(2))
if (options.ok) process.exitCode = await runSeeds(options.value, (line) => void process.stdout.write(line))
else {
  process.stderr.write(`${options.message}\n`)
  process.exitCode = 2
}
