/** When checkpoints are made: soon after commits, and alone when the log has grown or the database has shrunk. */
import type { DatabaseObserver } from '../database.ts'
import type { CheckpointDone, CheckpointMode, CheckpointResult } from './checkpoint.ts'
import { PAGE_BYTES } from './connection.ts'

/** How soon after a commit its pages are moved. */
const DELAY_MS = 200
/** Under steady load PASSIVE never catches up with the writer; from this size on the writer is held for the rest. */
const PAUSE_PAGES = (32 * 1024 * 1024) / PAGE_BYTES
/** From this size on the log is given back to the file system. */
const TRUNCATE_PAGES = (128 * 1024 * 1024) / PAGE_BYTES
/** Free pages are used again by what comes next; more than these are given back. */
const FREE_PAGES = (16 * 1024 * 1024) / PAGE_BYTES
const FREE_SHARE = 0.2

type CheckpointDeps = {
  readonly run: (mode: CheckpointMode) => Promise<CheckpointResult>
  /** Runs the task while no transaction is open. */
  readonly exclusively: (task: () => Promise<CheckpointResult>) => Promise<CheckpointResult>
  readonly observer: DatabaseObserver
}

export class Checkpoints {
  readonly #deps: CheckpointDeps
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #pausePages = PAUSE_PAGES
  #closed = false

  constructor(deps: CheckpointDeps) {
    this.#deps = deps
  }

  /** After a commit: there is something to move. */
  due(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => this.#start(), DELAY_MS).unref()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
  }

  #start(): void {
    this.#running = this.#cycle().then((again) => {
      this.#running = undefined
      this.#timer = undefined
      if (again) this.due()
    })
  }

  /** Whether there is more to do without another commit. */
  async #cycle(): Promise<boolean> {
    const passive = this.#report(await this.#deps.run('PASSIVE'), false)
    if (passive.kind === 'failed' || this.#closed) return false
    if (passive.logged >= this.#pausePages) await this.#moveAlone(passive)
    return !this.#closed && isMostlyFree(passive) && this.#shrink(passive)
  }

  async #moveAlone(passive: CheckpointDone): Promise<void> {
    const alone = await this.#alone(passive.logged < TRUNCATE_PAGES ? 'PASSIVE' : 'TRUNCATE')
    // A long read keeps the log; holding the writer again is no use before it has grown by half.
    const emptied = alone.kind === 'done' && alone.moved === alone.logged
    this.#pausePages = emptied ? PAUSE_PAGES : passive.logged * 1.5
  }

  async #shrink(before: CheckpointDone): Promise<boolean> {
    const after = await this.#alone('SHRINK')
    return after.kind === 'done' && after.free < before.free && isMostlyFree(after)
  }

  async #alone(mode: CheckpointMode): Promise<CheckpointResult> {
    return this.#report(await this.#deps.exclusively(() => this.#deps.run(mode)), true)
  }

  #report(result: CheckpointResult, paused: boolean): CheckpointResult {
    if (result.kind === 'failed') this.#deps.observer.checkpointFailed?.({ message: result.message })
    else this.#deps.observer.checkpointed?.({ ms: result.ms, walBytes: result.logged * PAGE_BYTES, paused })
    return result
  }
}

function isMostlyFree({ free, pages }: CheckpointDone): boolean {
  return free > FREE_PAGES && free > pages * FREE_SHARE
}
