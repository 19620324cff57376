/**
 * Our own lint: what types and oxlint cannot know about this repository. `npm run tidy` prints the findings;
 * `--update` lets the recorded exceptions shrink to what is left of them; a path or rule as argument narrows the report.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MISSING_PATH, shrinkMissing } from './tidy/rules/endpoints.ts'
import { RATCHET_PATH, shrinkRatchet } from './tidy/rules/size.ts'
import { checkAll } from './tidy/rules/all.ts'
import { loadRepository } from './tidy/repository.ts'

const root = join(import.meta.dirname, '..')
const args = process.argv.slice(2)

if (args.includes('--update')) {
  const repository = loadRepository(root)
  writeJson(RATCHET_PATH, shrinkRatchet(repository))
  writeJson(MISSING_PATH, shrinkMissing(repository))
}

const wanted = args.filter((arg) => !arg.startsWith('--'))
const findings = checkAll(loadRepository(root)).filter(
  ({ path, rule }) => wanted.length === 0 || wanted.some((want) => rule === want || path.startsWith(want)),
)
for (const { path, line, rule, message } of findings) console.log(`${path}:${line}: ${rule}: ${message}`)
if (findings.length > 0) {
  console.log(`\n${findings.length} findings`)
  process.exitCode = 1
}

function writeJson(path: string, value: object): void {
  writeFileSync(join(root, path), `${JSON.stringify(value, undefined, 2)}\n`)
}
