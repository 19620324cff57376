/** Completing a stage in a web page, while the client waits to send its request again. */
import { matrixError } from '@holdfast/protocol/errors'
import type { StageType } from './stage-types.ts'
import { completeStage, nextStages } from './progress.ts'
import { tryStage, type StageDeps } from './stages.ts'

export type PageVisit = {
  readonly authType: string
  readonly session: string
  /** undefined: the form is only to be shown. */
  readonly answer: Readonly<Record<string, string>> | undefined
  readonly remoteAddress: string
}

export type PageOutcome =
  | { readonly kind: 'done' }
  | {
      readonly kind: 'form'
      readonly stage: StageType
      readonly session: string
      readonly problem: string | undefined
    }

/** @throws M_NOT_FOUND, M_FORBIDDEN */
export async function completeOnPage(deps: StageDeps, visit: PageVisit): Promise<PageOutcome> {
  const session = deps.authSessions.find(visit.session)
  if (session === undefined) {
    throw matrixError(
      'M_NOT_FOUND',
      'This authentication is not known, or not any more. Go back to your app and begin again.',
    )
  }
  if (session.completed.some((stage) => stage === visit.authType)) return { kind: 'done' }
  const stage = nextStages(session.flows, session.completed).find((next) => next === visit.authType)
  if (stage === undefined) throw matrixError('M_FORBIDDEN', 'This is not what your app has to ask you now.')
  const form = { kind: 'form', stage, session: session.id } as const
  if (visit.answer === undefined) return { ...form, problem: undefined }
  const { user } = session
  const refusal = await tryStage(deps, stage, { auth: visit.answer, session, user, remoteAddress: visit.remoteAddress })
  if (refusal !== undefined) return { ...form, problem: refusal.error }
  completeStage(session, stage)
  return { kind: 'done' }
}
