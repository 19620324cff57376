/** Builds the image of this checkout: the packages, and what they need from node_modules, copied as it is. */
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '../..')
const SCRIPTS = ['start.sh', 'warm.sh']
const RIGHT_TO_RUN = 0o755

export function buildImage(tag: string): void {
  const context = mkdtempSync(join(tmpdir(), 'holdfast-complement-'))
  try {
    fillContext(context)
    const build = ['build', '--quiet', '--tag', tag, '--file', join(import.meta.dirname, 'Dockerfile'), context]
    // The classic builder: the other one looks the base image up at a registry.
    execFileSync('docker', build, { env: { ...process.env, DOCKER_BUILDKIT: '0' }, stdio: 'inherit' })
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}

function fillContext(context: string): void {
  for (const script of SCRIPTS) {
    cpSync(join(import.meta.dirname, script), join(context, script))
    chmodSync(join(context, script), RIGHT_TO_RUN)
  }
  cpSync(join(ROOT, 'packages'), join(context, 'packages'), { recursive: true, filter: isProduct })
  cpSync(join(ROOT, 'package.json'), join(context, 'package.json'))
  for (const path of productionModules()) cpSync(join(ROOT, path), join(context, path), { recursive: true })
  const ours = join(context, 'node_modules/@holdfast')
  mkdirSync(ours, { recursive: true })
  for (const name of readdirSync(join(ROOT, 'packages'))) symlinkSync(`../../packages/${name}`, join(ours, name))
}

function isProduct(path: string): boolean {
  return !/\.test\.ts$|\/node_modules$/.test(path)
}

type LockedPackage = {
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly optional?: boolean
  readonly link?: boolean
}

/** Folders of node_modules that a server needs, as the lock file has them. */
function productionModules(): string[] {
  const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockedPackage>>
  }
  return Object.entries(lock.packages)
    .filter(([path, { dev, devOptional, optional, link }]) => {
      return path.startsWith('node_modules/') && ![dev, devOptional, optional, link].includes(true)
    })
    .map(([path]) => path)
}

if (process.argv[1] === import.meta.filename) buildImage(process.argv[2] ?? 'holdfast-complement')
