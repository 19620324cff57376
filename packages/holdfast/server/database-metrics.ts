/** What the database tells of its work, as metrics and log lines. */
import type { DatabaseObserver } from '@holdfast/platform/database/database'
import type { Log } from '@holdfast/platform/log/log'
import type { Metrics } from '@holdfast/platform/metrics/metrics'

const COMMIT_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1]

export function databaseObserver(metrics: Metrics, log: Log): DatabaseObserver {
  const seconds = metrics.histogram({
    name: 'holdfast_commit_seconds',
    help: 'Time of one durable transaction, with its fsync.',
    buckets: COMMIT_BUCKETS_SECONDS,
  })
  const lists = metrics.counter({ name: 'holdfast_commit_lists_total', help: 'Lists of statements committed.' })
  const queued = metrics.gauge({
    name: 'holdfast_commit_queued',
    help: 'Lists that waited at the end of the last commit.',
  })
  return {
    committed: (group) => {
      seconds.observe(group.ms / 1000)
      lists.add({}, group.lists)
      queued.set(group.queued)
    },
    unavailable: (problem) => log.error({ ...problem }, 'commit not possible'),
    checkpointFailed: (problem) => log.warn({ ...problem }, 'checkpoint failed'),
    connection: (state) => log.warn({ state }, 'connection to the database'),
  }
}
