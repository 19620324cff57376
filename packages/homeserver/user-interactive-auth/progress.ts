/** How far a session has come. */
import type { AuthSession } from './sessions.ts'
import type { Flow, StageType } from './stage-types.ts'

/** A stage that two requests completed at once is completed once. */
export function completeStage(session: AuthSession, stage: StageType): void {
  if (!session.completed.includes(stage)) session.completed.push(stage)
}

/** The stages that may be tried now, in any of the flows. */
export function nextStages(flows: readonly Flow[], completed: readonly StageType[]): readonly StageType[] {
  return flows.filter((flow) => isBegun(flow, completed)).flatMap((flow) => flow[completed.length] ?? [])
}

/** Whether all stages of one of the flows are completed. */
export function isComplete(flows: readonly Flow[], completed: readonly StageType[]): boolean {
  return flows.some((flow) => flow.length === completed.length && isBegun(flow, completed))
}

function isBegun(flow: Flow, completed: readonly StageType[]): boolean {
  return completed.every((stage, index) => flow[index] === stage)
}
