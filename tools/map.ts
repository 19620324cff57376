/** Writes the pages of docs/ that are collected from the code: MAP.md, missing.md, errors.md. `npm run map`. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GENERATED_PAGES } from './tidy/pages.ts'
import { loadRepository } from './tidy/repository.ts'

const root = join(import.meta.dirname, '..')
const repository = loadRepository(root)

for (const [path, render] of Object.entries(GENERATED_PAGES)) {
  const text = render(repository)
  if (repository.read(path) === text) continue
  writeFileSync(join(root, path), text)
  console.log(`wrote ${path}`)
}
