/** The time that a piece of work takes of this thread's processor: the same on a busy machine as on an idle one. */
export function cpuMillisecondsOf(work: () => void): number {
  const before = process.threadCpuUsage()
  work()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1000
}
