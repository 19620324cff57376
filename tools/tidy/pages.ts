/** Pages of docs/ that repeat what the code says, and therefore are written from it. */
import { ERRORS } from '../../packages/protocol/errors.ts'
import { type Finding, type Repository } from './repository.ts'
import { generatedOperations, missingOperations } from './rules/endpoints.ts'
import { MAP_PATH, renderMap } from './rules/folders.ts'

export const GENERATED_PAGES: Readonly<Record<string, (repository: Repository) => string>> = {
  [MAP_PATH]: renderMap,
  'docs/missing.md': renderMissing,
  'docs/errors.md': renderErrors,
}

export function checkPages(repository: Repository): Finding[] {
  return Object.entries(GENERATED_PAGES)
    .filter(([path, render]) => repository.read(path) !== render(repository))
    .map(([path]) => ({
      path,
      line: 1,
      rule: 'page',
      message: 'is not what the code says now: "npm run map" writes it',
    }))
}

function renderMissing(repository: Repository): string {
  const missing = missingOperations(repository)
  const apis = Map.groupBy(generatedOperations(repository), ([key]) => key.split('/')[0] ?? '')
  const rows = [...apis].map(([api, files]) => {
    const all = files.flatMap(([, ids]) => ids).length
    const lacking = files.flatMap(([key]) => missing[key] ?? []).length
    return `| ${api} | ${all - lacking} of ${all} |`
  })
  const lists = [...apis].map(([api, files]) => {
    const lines = files.flatMap(([key]) => {
      const ids = missing[key]
      return ids === undefined ? [] : [`- \`${key.slice(api.length + 1)}\`: ${ids.join(', ')}`]
    })
    return lines.length === 0 ? '' : `\n## ${api}\n\n${lines.join('\n')}\n`
  })
  const intro =
    'Operations of the specification (August 2018 and v1.19 together) that have no endpoint yet, written by `npm run map` ' +
    'from `packages/api/generated` and the endpoint files. The list in `tools/missing-operations.json` may only shrink.'
  return `# Missing operations\n\n${intro}\n\n| API | served |\n|---|---|\n${rows.join('\n')}\n${lists.join('')}`
}

function renderErrors(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, when }]) => `| \`${code}\` | ${status} | ${when} |`)
  const intro =
    'Every `errcode` that Holdfast answers, its usual HTTP status and when it is used. Written by `npm run map` from ' +
    '`packages/protocol/errors.ts`.'
  return `# Errors\n\n${intro}\n\n| errcode | status | when |\n|---|---|---|\n${rows.join('\n')}\n`
}
