/** Numbered behaviours have tests and tests name numbered behaviours; links to the Matrix specification stay put. */
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

const LINK = /(?:https?:\/\/(?:spec\.matrix\.org|(?:www\.)?matrix\.org\/docs\/spec)|<spec>)[^\s)\]`'"<>*]*/g
const SECTIONS =
  'client-server-api|server-server-api|application-service-api|identity-service-api|push-gateway-api|appendices|rooms|olm-megolm|changelog|proposals'
const GOOD_LINK = new RegExp(
  `^(?:https://spec\\.matrix\\.org/v1\\.\\d+|<spec>)(?:/(?:${SECTIONS})(?:/[a-z0-9-]+)*)?/?(?:#[\\w.:%{}\\[\\]-]+)?$`,
)
const GOOD_LEGACY_LINK = /^https:\/\/spec\.matrix\.org\/legacy\/[a-z_]+\/[\w.]+\.html(?:#[\w.:%-]+)?$/
const PAGE_WITHOUT_ANCHOR = /\/(?:client-server-api|server-server-api|appendices)\/?$/

export function checkLinks(repository: Repository): Finding[] {
  const texts = [
    ...repository.sources.flatMap((file) =>
      file.comments.map(({ text, line }) => ({ path: file.path, text, line, code: true })),
    ),
    ...repository.paths
      .filter((path) => path.endsWith('.md'))
      .map((path) => ({ path, text: repository.read(path) ?? '', line: 1, code: false })),
  ]
  return texts.flatMap(({ path, text, line, code }) =>
    [...text.matchAll(LINK)].flatMap((match) => {
      const message = linkProblem(match[0].replace(/[.,;:]+$/, ''), code)
      if (message === undefined) return []
      const at = line + text.slice(0, match.index).split('\n').length - 1
      return [{ path, line: at, rule: 'spec-link', message }]
    }),
  )
}

function linkProblem(link: string, code: boolean): string | undefined {
  if (GOOD_LEGACY_LINK.test(link)) return undefined
  if (/\/(?:latest|unstable)\//.test(link))
    return `${link} moves: link a version, such as https://spec.matrix.org/v1.19/`
  if (!GOOD_LINK.test(link)) return `${link} is not a page of the specification`
  if (code && PAGE_WITHOUT_ANCHOR.test(link)) return `${link} is a whole book: link the section (#...)`
  return undefined
}
