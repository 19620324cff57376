/** One keep-alive socket that carries one request at a time. */

import { connect, type Socket } from 'node:net'
import { type ParsedResponse, ResponseParser } from './response-parser.ts'

export type Endpoint = { readonly host: string; readonly port: number }

type Waiter = { resolve(response: ParsedResponse): void; reject(error: Error): void }

const LIMITS = { silenceMsMax: 180_000 }

export class Connection {
  readonly #socket: Socket
  readonly #parser = new ResponseParser()
  #waiter: Waiter | undefined
  /** False once the socket cannot carry another request. */
  usable = true
  /** When the last response ended, in performance.now() time: servers close what is idle for long. */
  lastUsedMs = performance.now()

  constructor(endpoint: Endpoint) {
    this.#socket = connect({ host: endpoint.host, port: endpoint.port, noDelay: true })
    this.#socket.setTimeout(LIMITS.silenceMsMax)
    this.#socket.on('data', (chunk) => this.#onData(chunk as Buffer))
    this.#socket.on('timeout', () => this.#fail(new Error(`no byte from the server for ${LIMITS.silenceMsMax} ms`)))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#onClose())
  }

  send(requestText: string): Promise<ParsedResponse> {
    if (this.#waiter !== undefined) throw new Error('a connection carries one request at a time')
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject }
      this.#socket.write(requestText)
    })
  }

  close(): void {
    this.usable = false
    this.#socket.destroy()
  }

  #onData(chunk: Buffer): void {
    try {
      const response = this.#parser.push(chunk)
      if (response !== undefined) this.#complete(response)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #onClose(): void {
    this.usable = false
    const response = this.#parser.end()
    if (response === undefined) this.#fail(new Error('the server closed the connection'))
    else this.#complete(response)
  }

  #complete(response: ParsedResponse): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    this.lastUsedMs = performance.now()
    if (!response.keepAlive) this.close()
    if (waiter === undefined) this.close()
    else waiter.resolve(response)
  }

  #fail(error: Error): void {
    const waiter = this.#waiter
    this.#waiter = undefined
    this.close()
    waiter?.reject(error)
  }
}
