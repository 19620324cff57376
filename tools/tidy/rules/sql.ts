/** SQL lives in storage folders, and only the platform knows a database driver. */
import { type Finding, type Repository, type SourceFile } from '../repository.ts'

const SQL_FOLDERS = /^packages\/(platform\/database|[^/]+\/storage)\//
const SQL_MODULE = '@holdfast/platform/database/sql'

export function checkSql(repository: Repository): Finding[] {
  return repository.sources.filter((file) => applies(file)).flatMap((file) => sqlFindings(file))
}

function applies(file: SourceFile): boolean {
  return file.path.startsWith('packages/') && !file.isTest && !SQL_FOLDERS.test(file.path)
}

function sqlFindings(file: SourceFile): Finding[] {
  const taken = file.imports.filter(
    ({ specifier, names }) => specifier === SQL_MODULE && names.some((name) => !name.typeOnly),
  )
  const templates = file.tokens.filter(
    (token, index) => token.text === 'sql' && file.tokens[index + 1]?.kind === 'template',
  )
  return [...taken, ...templates].map(({ line }) => ({
    path: file.path,
    line,
    rule: 'sql-place',
    message: 'SQL lives in storage/, one exported function per statement',
  }))
}
