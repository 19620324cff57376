/** SQL of what is to be sent: a row is taken by moving its time on, so that nobody else takes it meanwhile. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'
import type { Threepid } from './associations.ts'

export type JobKind = 'invitation-mail' | 'onbind'

export type JobRow = {
  job_id: string
  kind: JobKind
  medium: string
  address: string
  content: string
  created_ms: number
  due_ms: number
  attempts: number
}

export type NewJob = Threepid & {
  readonly jobId: string
  readonly kind: JobKind
  readonly content: string
  readonly createdMs: number
}

export function insertJob({ jobId, kind, medium, address, content, createdMs }: NewJob): Statement {
  return statement(
    sql`INSERT INTO jobs (job_id, kind, medium, address, content, created_ms, due_ms, attempts, last_error)
        VALUES (${jobId}, ${kind}, ${medium}, ${address}, ${content}, ${createdMs}, ${createdMs}, 0, NULL)`,
    { changes: 1 },
  )
}

/** Only if invitations wait for the address. */
export function insertJobIfInvited({ jobId, kind, medium, address, content, createdMs }: NewJob): Statement {
  return statement(
    sql`INSERT INTO jobs (job_id, kind, medium, address, content, created_ms, due_ms, attempts, last_error)
        SELECT ${jobId}, ${kind}, ${medium}, ${address}, ${content}, ${createdMs}, ${createdMs}, 0, NULL
        WHERE EXISTS (SELECT 1 FROM invites WHERE medium = ${medium} AND address = ${address})`,
  )
}

export function dueJobs(db: Reader, nowMs: number, limit: number): Promise<readonly JobRow[]> {
  return db.all<JobRow>(
    sql`SELECT job_id, kind, medium, address, content, created_ms, due_ms, attempts FROM jobs
        WHERE due_ms <= ${nowMs} ORDER BY due_ms, job_id LIMIT ${limit}`,
  )
}

/** Undefined when there is nothing to do. */
export async function nextDueMs(db: Reader): Promise<number | undefined> {
  const row = await db.row<{ due_ms: number }>(sql`SELECT due_ms FROM jobs ORDER BY due_ms LIMIT 1`)
  return row?.due_ms
}

/** Breaks its expectation if somebody took the job, or it is gone. */
export function takeJob(job: { readonly jobId: string; readonly dueMs: number; readonly untilMs: number }): Statement {
  return statement(
    sql`UPDATE jobs SET due_ms = ${job.untilMs}, attempts = attempts + 1
        WHERE job_id = ${job.jobId} AND due_ms = ${job.dueMs}`,
    { changes: 1 },
  )
}

export function postponeJob(job: {
  readonly jobId: string
  readonly dueMs: number
  readonly error: string
}): Statement {
  return statement(sql`UPDATE jobs SET due_ms = ${job.dueMs}, last_error = ${job.error} WHERE job_id = ${job.jobId}`)
}

export function deleteJob(jobId: string): Statement {
  return statement(sql`DELETE FROM jobs WHERE job_id = ${jobId}`)
}

export function deleteJobsOf({ medium, address, kind }: Threepid & { readonly kind: JobKind }): Statement {
  return statement(sql`DELETE FROM jobs WHERE medium = ${medium} AND address = ${address} AND kind = ${kind}`)
}

export async function countJobs(db: Reader): Promise<number> {
  const row = await db.row<{ count: number }>(sql`SELECT COUNT(*) AS count FROM jobs`)
  return row?.count ?? 0
}
