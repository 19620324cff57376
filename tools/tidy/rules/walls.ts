/** Who may import whom. The walls are drawn in docs/ARCHITECTURE.md, "Packages and walls". */
import { type Import } from '../imports.ts'
import { type Finding, type Repository, type SourceFile, packageOf, resolveImport } from '../repository.ts'

type Wall = {
  /** Packages of ours. */
  readonly packages: readonly string[]
  /** Modules of Node: a list, or all of them. */
  readonly node: readonly string[] | 'all'
}

const LIBRARY_OF_NODE = ['assert', 'assert/strict', 'async_hooks', 'buffer', 'crypto', 'events', 'path', 'url', 'util']

const BELOW_SERVICES = ['protocol', 'api', 'platform']
const EVERYTHING = [...BELOW_SERVICES, 'service', 'homeserver', 'identity', 'push-gateway']

const WALLS: Readonly<Record<string, Wall>> = {
  protocol: { packages: [], node: ['crypto'] },
  api: { packages: ['protocol'], node: [] },
  platform: { packages: [], node: 'all' },
  service: { packages: BELOW_SERVICES, node: LIBRARY_OF_NODE },
  homeserver: { packages: [...BELOW_SERVICES, 'service'], node: LIBRARY_OF_NODE },
  identity: { packages: [...BELOW_SERVICES, 'service'], node: LIBRARY_OF_NODE },
  'push-gateway': { packages: [...BELOW_SERVICES, 'service'], node: LIBRARY_OF_NODE },
  holdfast: { packages: EVERYTHING, node: 'all' },
  simulator: { packages: EVERYTHING, node: 'all' },
}

/** Functions of other modules that only compute. */
const PURE: Readonly<Record<string, readonly string[]>> = { net: ['isIP', 'isIPv4', 'isIPv6', 'BlockList'] }

const ENDPOINT_FOLDERS = new Set(['client-server', 'server-server', 'application-service'])
type Layer = 'composition' | 'endpoint' | 'domain' | 'storage'
const LAYER_HEIGHT: Readonly<Record<Layer, number>> = { composition: 3, endpoint: 3, domain: 2, storage: 1 }

export function checkWalls(repository: Repository): Finding[] {
  return repository.sources.flatMap((file) =>
    file.imports.flatMap((imported) => {
      const message =
        packageOf(file.path) === undefined ? outsideProblem(file, imported) : wallProblem(repository, file, imported)
      return message === undefined ? [] : [{ path: file.path, line: imported.line, rule: 'wall', message }]
    }),
  )
}

/** bench measures any homeserver, so it knows none from within. */
function outsideProblem(file: SourceFile, { specifier }: Import): string | undefined {
  if (!file.path.startsWith('bench/')) return undefined
  const target = resolveImport(file.folder, specifier)
  if (target === undefined || target.startsWith('bench/')) return undefined
  return `bench uses public APIs only, so it may not import ${specifier}`
}

function wallProblem(repository: Repository, file: SourceFile, imported: Import): string | undefined {
  const name = packageOf(file.path) ?? ''
  const wall = WALLS[name]
  if (wall === undefined) return `the package "${name}" has no wall yet: add it to tools/tidy/rules/walls.ts`
  const { specifier } = imported
  if (specifier.startsWith('node:')) return file.isTest ? undefined : nodeProblem({ name, wall }, imported)
  const target = resolveImport(file.folder, specifier)
  if (target === undefined) return file.isTest ? undefined : dependencyProblem(repository, name, specifier)
  return targetProblem(repository, file, { specifier, target })
}

function nodeProblem({ name, wall }: { name: string; wall: Wall }, { specifier, names }: Import): string | undefined {
  const module = specifier.slice('node:'.length)
  if (wall.node === 'all' || wall.node.includes(module)) return undefined
  if (wall.node.length > 1 && names.length > 0 && names.every((one) => PURE[module]?.includes(one.name)))
    return undefined
  return `${name} may not use ${specifier}: what touches the world goes through a port of packages/platform`
}

function dependencyProblem(repository: Repository, name: string, specifier: string): string | undefined {
  const wanted = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
  const manifest = JSON.parse(repository.read(`packages/${name}/package.json`) ?? '{}') as {
    dependencies?: Record<string, string>
  }
  if (manifest.dependencies?.[wanted] !== undefined) return undefined
  return `"${wanted}" is not in the dependencies of packages/${name}/package.json`
}

function targetProblem(
  repository: Repository,
  file: SourceFile,
  { specifier, target }: { specifier: string; target: string },
): string | undefined {
  const from = packageOf(file.path) ?? ''
  const to = packageOf(target)
  if (!repository.has(target)) return `${specifier} leads to ${target}, which does not exist`
  if (to === from) {
    if (!specifier.startsWith('.')) return `within a package, import by a relative path, not by ${specifier}`
    return from === 'homeserver' ? layerProblem(file, target) : undefined
  }
  if (to === undefined) return file.isTest ? undefined : `packages may not import ${target}`
  if (specifier.startsWith('.')) return `import across packages by name (@holdfast/${to}/...), not by ${specifier}`
  if (WALLS[from]?.packages.includes(to) === true) return undefined
  return `${from} may not import ${to}`
}

/** Endpoints → domain folders → storage, downward only. Files beside the folders put the parts together. */
function layerProblem(file: SourceFile, target: string): string | undefined {
  const [from, to] = [layerOf(file.path), layerOf(target)]
  if (file.isTest || from.layer === 'composition') return undefined
  if (to.layer === 'composition') {
    return from.layer === 'storage' ? `storage may not import ${target}: it knows rows, not the homeserver` : undefined
  }
  if (from.layer === 'endpoint' && to.layer === 'endpoint' && from.folder !== to.folder) {
    return `endpoints of ${from.folder} may not import those of ${to.folder}: move what they share to a domain folder`
  }
  if (LAYER_HEIGHT[from.layer] >= LAYER_HEIGHT[to.layer]) return undefined
  return `${from.folder} (${from.layer}) may not import ${to.folder} (${to.layer}): imports go endpoints, domain, storage`
}

function layerOf(path: string): { layer: Layer; folder: string } {
  const folder = /^packages\/homeserver\/([^/]+)\//.exec(path)?.[1]
  if (folder === undefined) return { layer: 'composition', folder: 'homeserver' }
  if (folder === 'storage') return { layer: 'storage', folder }
  return { layer: ENDPOINT_FOLDERS.has(folder) ? 'endpoint' : 'domain', folder }
}
