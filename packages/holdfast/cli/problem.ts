/** From what was thrown to what is said and returned to the shell. */
import { WrongServerName } from '@holdfast/homeserver/server-identity'
import { DatabaseLocked, DatabaseUnavailable, SchemaMismatch } from '@holdfast/platform/database/database'
import { ListenFailed } from '@holdfast/platform/http/listen'
import { MatrixError } from '@holdfast/protocol/errors'
import { EXIT_CODES, StartProblem, type StartProblemKind } from '../server/start-problem.ts'

export type Verdict = { readonly exitCode: number; readonly message: string }

export function verdictOn(thrown: unknown): Verdict {
  const error = firstOf(thrown)
  const kind = kindOf(error)
  const exitCode = EXIT_CODES[kind]
  if (!(error instanceof Error)) return { exitCode, message: String(error) }
  // A stack helps nobody with a mistake of their own, and everybody with one of ours.
  return { exitCode, message: kind === 'unexpected' ? (error.stack ?? error.message) : error.message }
}

/** What went wrong first, where closing what was open by then failed, too. */
function firstOf(thrown: unknown): unknown {
  return thrown instanceof SuppressedError ? firstOf(thrown.suppressed) : thrown
}

function kindOf(error: unknown): StartProblemKind {
  if (error instanceof StartProblem) return error.kind
  if (error instanceof DatabaseLocked) return 'data-in-use'
  if (error instanceof ListenFailed) return 'address'
  if (error instanceof WrongServerName) return 'settings'
  if (error instanceof SchemaMismatch || error instanceof DatabaseUnavailable) return 'data'
  if (error instanceof MatrixError) return 'refused'
  return isFileError(error) ? 'data' : 'unexpected'
}

/** The data folder cannot be made, or files in it not be written. */
function isFileError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' && FILE_ERRORS.has(code)
}

const FILE_ERRORS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'ENOTDIR', 'EISDIR', 'EEXIST', 'EDQUOT', 'EIO'])
