/** Asks a running Node process for a CPU profile, over the inspector that SIGUSR1 opens. */

import { setTimeout as sleep } from 'node:timers/promises'

export type CpuProfile = {
  readonly nodes: readonly ProfileNode[]
  readonly samples?: readonly number[]
  readonly timeDeltas?: readonly number[]
}
export type ProfileNode = {
  readonly id: number
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
}

type Reply = { readonly id?: number; readonly result?: { profile?: CpuProfile }; readonly error?: { message: string } }

const INSPECTOR = 'http://127.0.0.1:9229/json/list'
const SAMPLING_MICROS = 200

export class Inspector implements Disposable {
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, PromiseWithResolvers<Reply>>()
  #lastId = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.addEventListener('message', (event) => this.#receive(JSON.parse(String(event.data)) as Reply))
  }

  static async open(pid: number): Promise<Inspector> {
    process.kill(pid, 'SIGUSR1')
    const socket = new WebSocket(await debuggerUrl())
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true })
      socket.addEventListener('error', () => reject(new Error('the inspector refuses the connection')), { once: true })
    })
    return new Inspector(socket)
  }

  async startProfile(): Promise<void> {
    await this.#call('Profiler.enable')
    await this.#call('Profiler.setSamplingInterval', { interval: SAMPLING_MICROS })
    await this.#call('Profiler.start')
  }

  async stopProfile(): Promise<CpuProfile> {
    const reply = await this.#call('Profiler.stop')
    if (reply.result?.profile === undefined) throw new Error('the inspector gave no profile')
    return reply.result.profile
  }

  [Symbol.dispose](): void {
    this.#socket.close()
  }

  #call(method: string, params: object = {}): Promise<Reply> {
    this.#lastId += 1
    const waiter = Promise.withResolvers<Reply>()
    this.#waiting.set(this.#lastId, waiter)
    this.#socket.send(JSON.stringify({ id: this.#lastId, method, params }))
    return waiter.promise
  }

  #receive(reply: Reply): void {
    if (reply.id === undefined) return
    const waiter = this.#waiting.get(reply.id)
    this.#waiting.delete(reply.id)
    if (reply.error === undefined) waiter?.resolve(reply)
    else waiter?.reject(new Error(reply.error.message))
  }
}

async function debuggerUrl(): Promise<string> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const response = await fetch(INSPECTOR).catch(() => undefined)
    const targets = (await response?.json()) as { webSocketDebuggerUrl: string }[] | undefined
    if (targets?.[0] !== undefined) return targets[0].webSocketDebuggerUrl
    await sleep(100)
  }
  throw new Error('the inspector did not open on 127.0.0.1:9229: is the first --pid a Node process?')
}
