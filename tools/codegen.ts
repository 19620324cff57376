/**
 * Generates packages/api/generated from the specification data.
 * `node tools/codegen.ts [--check] [--spec FOLDER]`: writes the files, or with --check says which differ and fails.
 */

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { emitContract } from './codegen/contract.ts'
import { emitFile } from './codegen/emit.ts'
import { mergeRevisions, type MergedOperation } from './codegen/merge.ts'
import { readRevision } from './codegen/revision.ts'

const repository = join(import.meta.dirname, '..')
const generatedFolder = join(repository, 'packages/api/generated')
export const defaultSpecFolder = join(repository, '../shared/spec')

/** Path below packages/api/generated → text. */
export function generate(specFolder: string): Map<string, string> {
  const operations = mergeRevisions(readRevision(specFolder, 'v1.19'), readRevision(specFolder, '2018-08'))
  const byStem = new Map<string, MergedOperation[]>()
  for (const operation of operations) {
    const stem = `${operation.api}/${operation.stem}`
    byStem.set(stem, [...(byStem.get(stem) ?? []), operation])
  }
  return new Map(
    [...byStem].flatMap(([stem, list]) => [
      [`${stem}.ts`, emitFile(list)],
      [`responses/${stem}.json`, emitContract(list)],
    ]),
  )
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

/** Generated files that are not as they would be written now. */
export function differences(folder: string, wanted: ReadonlyMap<string, string>): string[] {
  const surplus = filesBelow(folder).filter((file) => !wanted.has(file))
  const changed = [...wanted].filter(([file, text]) => {
    const path = join(folder, file)
    return !existsSync(path) || readFileSync(path, 'utf8') !== text
  })
  return [...changed.map(([file]) => file), ...surplus].toSorted()
}

function write(folder: string, wanted: ReadonlyMap<string, string>): void {
  for (const file of filesBelow(folder)) if (!wanted.has(file)) rmSync(join(folder, file))
  for (const [file, text] of wanted) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text)
  }
}

function main(): void {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, spec: { type: 'string' } } })
  const specFolder = values.spec ?? defaultSpecFolder
  if (!existsSync(specFolder))
    throw new Error(`There is no specification data in ${specFolder}; name its folder with --spec.`)
  const wanted = generate(specFolder)
  const different = differences(generatedFolder, wanted)
  if (values.check !== true) write(generatedFolder, wanted)
  else if (different.length > 0) {
    process.stderr.write(`Run tools/codegen.ts; these differ from the specification data:\n${different.join('\n')}\n`)
    process.exitCode = 1
  }
}

if (import.meta.main) main()
