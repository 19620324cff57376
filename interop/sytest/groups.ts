/** The groups of Sytest whose subject is built, and the files of a checkout that belong to them. */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

export const GROUPS = [
  '10apidoc',
  '11register',
  '12login',
  '13logout',
  '14account',
  '21presence-events',
  '30rooms',
  '31sync',
  '32room-versions',
  '40presence',
  '41end-to-end-keys',
  '42tags',
  '44account_data',
  '45openid',
  '46direct',
  '49ignore',
  '50federation',
  '80torture',
  '90jira',
] as const

/** Paths from the checkout, in Sytest's own order. A group is a folder or a single file. */
export function filesOf(checkout: string, groups: readonly string[] = GROUPS): string[] {
  return groups.flatMap((group) => {
    const folder = join('tests', group)
    if (!statSync(join(checkout, folder), { throwIfNoEntry: false })?.isDirectory()) return [`${folder}.pl`]
    const files = readdirSync(join(checkout, folder)).filter((name) => name.endsWith('.pl'))
    return files.toSorted().map((name) => join(folder, name))
  })
}

export function groupOf(file: string): string {
  return file.split('/')[1]?.replace(/\.pl$/, '') ?? '?'
}
