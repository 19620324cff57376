/** Numbered behaviours (SPEC.md) have tests, and tests name numbered behaviours. */
import { type Finding, type Repository, type SourceFile } from '../repository.ts'

const DEFINITION = /^\s*(?:[-*]\s+|#+\s+)?\**\[([A-Z]{2,5}\d{1,3})\]/
const QUOTED = /^\s*\[([A-Z]{2,5}\d{1,3})\]/

type Place = { readonly path: string; readonly line: number }

export function checkBehaviours(repository: Repository): Finding[] {
  const defined = definitions(repository)
  const quoted = quotations(repository)
  const findings: Finding[] = []
  for (const [id, places] of defined) {
    const [place, ...others] = places
    if (place === undefined) continue
    if (!quoted.has(id)) findings.push(finding(place, `[${id}] has no test: a test's name begins with it`))
    for (const other of others) findings.push(finding(other, `[${id}] is defined in ${place.path} already`))
  }
  for (const [id, places] of quoted) {
    if (defined.has(id)) continue
    findings.push(...places.map((place) => finding(place, `[${id}] is not in any SPEC.md`)))
  }
  return findings
}

function finding(place: Place, message: string): Finding {
  return { ...place, rule: 'behaviour', message }
}

function definitions(repository: Repository): Map<string, Place[]> {
  const found = new Map<string, Place[]>()
  for (const path of repository.paths.filter((name) => name.startsWith('packages/') && name.endsWith('/SPEC.md'))) {
    const lines = (repository.read(path) ?? '').split('\n')
    lines.forEach((text, index) => {
      const id = DEFINITION.exec(text)?.[1]
      if (id !== undefined) addTo(found, id, { path, line: index + 1 })
    })
  }
  return found
}

function quotations(repository: Repository): Map<string, Place[]> {
  const found = new Map<string, Place[]>()
  for (const file of repository.sources.filter(({ isTest, path }) => isTest && !path.startsWith('tools/'))) {
    for (const { id, line } of quotedIds(file)) addTo(found, id, { path: file.path, line })
  }
  return found
}

/** Strings that begin with one or more ids, as the names of tests do: `'[RC4] soft-failed event ...'`. */
function quotedIds(file: SourceFile): { id: string; line: number }[] {
  return file.tokens.flatMap((token) => {
    if (token.kind !== 'string' && token.kind !== 'template') return []
    const ids: { id: string; line: number }[] = []
    let rest = token.text.slice(1)
    for (let match = QUOTED.exec(rest); match !== null; match = QUOTED.exec(rest)) {
      ids.push({ id: match[1] ?? '', line: token.line })
      rest = rest.slice(match[0].length)
    }
    return rest.length > 1 ? ids : []
  })
}

function addTo(map: Map<string, Place[]>, key: string, place: Place): void {
  const places = map.get(key)
  if (places === undefined) map.set(key, [place])
  else places.push(place)
}
