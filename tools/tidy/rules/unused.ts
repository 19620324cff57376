/** No dead files in packages: each is imported, is a test, or can be started. */
import { type Finding, type Repository, type SourceFile, resolveImport } from '../repository.ts'

export function checkUnused(repository: Repository): Finding[] {
  const used = new Set(
    repository.sources.flatMap((file) => file.imports.map(({ specifier }) => resolveImport(file.folder, specifier))),
  )
  return repository.sources
    .filter((file) => file.path.startsWith('packages/') && !used.has(file.path) && !isEntry(file))
    .map(({ path }) => ({
      path,
      line: 1,
      rule: 'unused-file',
      message: 'nothing imports this file: use it or remove it',
    }))
}

function isEntry(file: SourceFile): boolean {
  return (
    file.path.endsWith('.test.ts') ||
    file.path.endsWith('/main.ts') ||
    file.path.endsWith('/bench.ts') ||
    file.text.includes('import.meta.main')
  )
}
