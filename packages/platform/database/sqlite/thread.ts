/** A worker thread that answers one message with one message, in order; started at the first call. */
/* oxlint-disable unicorn/require-post-message-target-origin -- a rule for windows; threads have no origin */
import { parentPort, Worker } from 'node:worker_threads'

type Pending<Answer> = { readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }

/** In place of a request: the thread puts away what it holds and ends. */
const CLOSE = 'close'

export class Thread<Request, Answer> {
  readonly #file: URL
  readonly #workerData: unknown
  #worker: Worker | undefined
  #pending: Pending<Answer>[] = []
  #isClosing = false

  constructor(file: URL, workerData: unknown) {
    this.#file = file
    this.#workerData = workerData
  }

  get pending(): number {
    return this.#pending.length
  }

  /** Rejects when the thread ends before it answers; the next call starts another one. */
  call(request: Request): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const worker = (this.#worker ??= this.#start())
      this.#pending.push({ resolve, reject })
      worker.ref()
      worker.postMessage(request)
    })
  }

  /** Waits for the answers that are due. */
  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    this.#isClosing = true
    worker.ref()
    worker.postMessage(CLOSE)
    await ended
  }

  #start(): Worker {
    this.#isClosing = false
    const worker = new Worker(this.#file, { workerData: this.#workerData })
    worker.on('message', (answer: Answer) => this.#answer(worker, answer))
    worker.on('error', (error: Error) => this.#ended(worker, error))
    worker.on('exit', (code) => this.#ended(worker, new Error(`a database thread ended with code ${code}`)))
    return worker
  }

  #answer(worker: Worker, answer: Answer): void {
    this.#pending.shift()?.resolve(answer)
    // An idle thread does not keep the process alive; one whose end is waited for does.
    if (this.#pending.length === 0 && !this.#isClosing) worker.unref()
  }

  #ended(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const { reject } of this.#pending.splice(0)) reject(error)
  }
}

/** `answer` takes the caller's request and must not throw. */
type ThreadSide = { answer(request: never): unknown; close(): void }

/** The thread's side. */
export function serveThread(thread: ThreadSide): void {
  const port = parentPort
  if (port === null) throw new Error('this file is a worker thread')
  port.on('message', (request: unknown) => {
    if (request !== CLOSE) return port.postMessage(thread.answer(request as never))
    thread.close()
    return port.close()
  })
}
