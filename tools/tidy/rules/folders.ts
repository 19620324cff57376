/** Each folder with code says in one sentence what it is for; docs/MAP.md collects the sentences. */
import { posix } from 'node:path'
import { type Finding, type Repository, isGenerated } from '../repository.ts'

export const MAP_PATH = 'docs/MAP.md'
const SENTENCE_LENGTH_MAX = 240

export function checkFolders(repository: Repository): Finding[] {
  return codeFolders(repository).flatMap((folder) => {
    const path = `${folder}/README.md`
    const text = repository.read(path)
    if (text === undefined) return [finding(path, `${folder} has code and no README.md`)]
    const sentence = firstSentence(text)
    const bad = sentence === '' || sentence.length > SENTENCE_LENGTH_MAX || !/[.!]$/.test(sentence)
    return bad ? [finding(path, 'the first line is one sentence that says what the folder is for (not a heading)')] : []
  })
}

function finding(path: string, message: string): Finding {
  return { path, line: 1, rule: 'readme', message }
}

/** Folders that hold TypeScript themselves; a folder of nothing but folders needs no sentence. */
export function codeFolders(repository: Repository): string[] {
  const written = repository.paths.filter((path) => path.endsWith('.ts') && !isGenerated(path))
  const folders = written.map((path) => posix.dirname(path))
  return [...new Set(folders)].filter((folder) => folder !== '.' && !isTestData(folder)).toSorted()
}

function isTestData(folder: string): boolean {
  return /(^|\/)(fixtures?|vectors)(\/|$)/.test(folder)
}

function firstSentence(readme: string): string {
  const line = readme.split('\n', 1)[0] ?? ''
  return line.startsWith('#') ? '' : line.trim()
}

export function renderMap(repository: Repository): string {
  const lines = codeFolders(repository).map((folder) => {
    const readme = repository.read(`${folder}/README.md`)
    const sentence = readme === undefined ? '' : firstSentence(readme)
    const specification = repository.has(`${folder}/SPEC.md`) ? ` [Numbered behaviours](../${folder}/SPEC.md).` : ''
    return `- [\`${folder}/\`](../${folder}) ${linksFromDocs(sentence, folder)}${specification}`
  })
  const head =
    'Every folder with code and what it is for, collected from the first lines of their READMEs by `npm run map`.'
  return `# Map\n\n${head}\n\n${lines.join('\n')}\n`
}

/** A relative link in a README's first line, as seen from docs/. */
function linksFromDocs(sentence: string, folder: string): string {
  return sentence.replaceAll(/\]\((?!https?:|#|\/)([^)]+)\)/g, (_, target: string) => {
    return `](${posix.join('..', folder, target)})`
  })
}
