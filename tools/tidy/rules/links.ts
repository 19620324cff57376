/** Links to the Matrix specification name a version and a section; links between our pages lead somewhere. */
import { posix } from 'node:path'
import { type Finding, type Repository } from '../repository.ts'

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

const PAGE_LINK = /\]\((?![a-z]+:|#)([^)\s]+)\)/g

/** A relative link of a page: to a file, or to a folder with files. */
export function checkPageLinks(repository: Repository): Finding[] {
  const folders = new Set(repository.paths.flatMap((path) => foldersAbove(path)))
  return repository.paths
    .filter((path) => path.endsWith('.md'))
    .flatMap((path) => {
      const targets = [...(repository.read(path) ?? '').matchAll(PAGE_LINK)].map(([, target]) => target ?? '')
      return targets
        .map((target) => ({
          target,
          leadsTo: posix.join(posix.dirname(path), target.replace(/#.*$/, '')).replace(/\/$/, ''),
        }))
        .filter(({ leadsTo }) => !repository.has(leadsTo) && !folders.has(leadsTo))
        .map(({ target }) => ({ path, line: 1, rule: 'page-link', message: `the link ${target} leads nowhere` }))
    })
}

function foldersAbove(path: string): string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'))
}
