/** Every rule of tidy, in the order of its report. */
import { type Finding, type Repository } from '../repository.ts'
import { checkPages } from '../pages.ts'
import { checkCycles } from './cycles.ts'
import { checkEndpoints } from './endpoints.ts'
import { checkFolders } from './folders.ts'
import { checkGlobals } from './globals.ts'
import { checkModules } from './modules.ts'
import { checkNotes } from './notes.ts'
import { checkPurity } from './purity.ts'
import { checkSize } from './size.ts'
import { checkBehaviours } from './behaviours.ts'
import { checkLinks, checkPageLinks } from './links.ts'
import { checkUnused } from './unused.ts'
import { checkSql } from './sql.ts'
import { checkWalls } from './walls.ts'

export const RULES: readonly ((repository: Repository) => Finding[])[] = [
  checkWalls,
  checkCycles,
  checkUnused,
  checkSql,
  checkGlobals,
  checkPurity,
  checkModules,
  checkSize,
  checkFolders,
  checkPages,
  checkEndpoints,
  checkBehaviours,
  checkLinks,
  checkPageLinks,
  checkNotes,
]

export function checkAll(repository: Repository): Finding[] {
  return RULES.flatMap((rule) => rule(repository))
}
