/** No file needs itself: runtime imports form no cycle. Types may refer to each other freely. */
import { type Finding, type Repository, type SourceFile, resolveImport } from '../repository.ts'

export function checkCycles(repository: Repository): Finding[] {
  const graph = new Map(repository.sources.map((file) => [file.path, runtimeTargets(repository, file)]))
  const findings: Finding[] = []
  const state = new Map<string, 'open' | 'done'>()
  for (const path of graph.keys()) visit(graph, path, { state, trail: [], findings })
  return findings
}

function runtimeTargets(repository: Repository, file: SourceFile): string[] {
  return file.imports
    .filter((imported) => imported.kind === 'import' || imported.kind === 'export')
    .filter(({ typeOnly, names }) => !typeOnly && (names.length === 0 || names.some((name) => !name.typeOnly)))
    .map(({ specifier }) => resolveImport(file.folder, specifier) ?? '')
    .filter((path) => repository.has(path))
}

type Walk = { state: Map<string, 'open' | 'done'>; trail: string[]; findings: Finding[] }

function visit(graph: ReadonlyMap<string, readonly string[]>, path: string, walk: Walk): void {
  if (walk.state.get(path) === 'done') return
  if (walk.state.get(path) === 'open') {
    const cycle = [...walk.trail.slice(walk.trail.indexOf(path)), path]
    walk.findings.push({ path, line: 1, rule: 'import-cycle', message: `imports itself: ${cycle.join(' → ')}` })
    return
  }
  walk.state.set(path, 'open')
  walk.trail.push(path)
  for (const target of graph.get(path) ?? []) visit(graph, target, walk)
  walk.trail.pop()
  walk.state.set(path, 'done')
}
