#!/usr/bin/env node
import { runSeed } from './run-seed.ts'
const seed = Number(process.argv[2])
const t = performance.now()
const r = await runSeed(seed, { traceLines: Number(process.argv[3] ?? 40), ...(process.argv[4] === undefined ? {} : { about: process.argv[4] }) })
process.stdout.write(r.trace.join('\n') + '\n')
process.stdout.write(JSON.stringify({ ...r, trace: undefined }, null, 1) + `\n${performance.now() - t} ms\n`)
