/** Stands between a client and a PostgreSQL server, to lose their connections at chosen moments. */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const SOCKET = '.s.PGSQL.5432'

/** When the connection that says a word is cut: before the server hears it, or before the client hears the answer. */
export type Cut = { readonly word: string; readonly moment: 'before' | 'after' }

export class PostgresProxy {
  readonly url: string
  /** The next connection that says the word is cut, once. */
  cutNext: Cut | undefined
  /** Every connection that says this is cut. */
  cutAlways: string | undefined
  /** While true nobody gets through. */
  down = false
  /** While true everything is swallowed, as by a broken network. */
  silent = false
  /** A cut also takes the proxy down, so that the client cannot ask what happened. */
  downAfterCut = false
  readonly #folder: string
  readonly #target: string
  readonly #pairs = new Set<Disposable>()
  readonly #server = createServer((client) => this.#accept(client))

  private constructor(url: string, folder: string) {
    const target = new URL(url)
    this.#folder = folder
    this.#target = join(target.searchParams.get('host')!, SOCKET)
    target.searchParams.set('host', folder)
    this.url = target.href
  }

  static async start(url: string): Promise<PostgresProxy> {
    const proxy = new PostgresProxy(url, await mkdtemp(join(tmpdir(), 'holdfast-proxy-')))
    proxy.#server.listen(join(proxy.#folder, SOCKET))
    await once(proxy.#server, 'listening')
    return proxy
  }

  /** Cuts every connection, and refuses new ones. */
  goDown(): void {
    this.down = true
    for (const pair of this.#pairs) pair[Symbol.dispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.goDown()
    this.#server.close()
    await rm(this.#folder, { recursive: true, force: true })
  }

  #accept(client: Socket): void {
    if (this.down) return void client.destroy()
    const server = createConnection(this.#target)
    const pair = { [Symbol.dispose]: () => [client, server].forEach((socket) => socket.destroy()) }
    this.#pairs.add(pair)
    let deaf = false
    client.on('data', (data: Buffer) => {
      if (this.silent) return
      if (this.cutAlways !== undefined && data.includes(this.cutAlways)) return pair[Symbol.dispose]()
      const cut = this.#takeCut(data)
      if (cut !== undefined) this.down = this.downAfterCut
      if (cut?.moment === 'before') return pair[Symbol.dispose]()
      if (cut?.moment === 'after') deaf = true
      server.write(data)
    })
    server.on('data', (data) => {
      if (deaf) return pair[Symbol.dispose]()
      client.write(data)
    })
    for (const socket of [client, server]) {
      socket.on('error', () => {})
      socket.on('close', () => {
        this.#pairs.delete(pair)
        pair[Symbol.dispose]()
      })
    }
  }

  #takeCut(data: Buffer): Cut | undefined {
    if (this.cutNext === undefined || !data.includes(this.cutNext.word)) return undefined
    const cut = this.cutNext
    this.cutNext = undefined
    return cut
  }
}
