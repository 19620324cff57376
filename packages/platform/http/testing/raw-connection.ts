/** A TCP connection that says exactly what a test wants said. */
import { connect, type Socket } from 'node:net'

export type RawResponse = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type RawConnection = {
  send(bytes: string | Uint8Array): void
  /** Resolves when `count` whole responses are in, or the server closed the connection. */
  responses(count: number): Promise<RawResponse[]>
  /** Resolves when the server closed the connection. */
  readonly closed: Promise<void>
  readonly socket: Socket
  [Symbol.dispose](): void
}

export function connectRaw(port: number): RawConnection {
  const socket = connect(port, '127.0.0.1')
  const closed = Promise.withResolvers<void>()
  let received = Buffer.alloc(0)
  let changed = Promise.withResolvers<void>()
  socket.on('error', () => {})
  socket.on('data', (chunk: Buffer) => {
    received = Buffer.concat([received, chunk])
    changed.resolve()
  })
  socket.on('close', () => {
    closed.resolve()
    changed.resolve()
  })
  return {
    send: (bytes) => void socket.write(bytes),
    responses: async (count) => {
      for (;;) {
        changed = Promise.withResolvers<void>()
        const found = parseResponses(received)
        if (found.length >= count || socket.destroyed) return found
        await changed.promise
      }
    },
    closed: closed.promise,
    socket,
    [Symbol.dispose]: () => void socket.destroy(),
  }
}

/** Those that are complete. An interim response (100) counts. */
function parseResponses(received: Buffer): RawResponse[] {
  const found: RawResponse[] = []
  for (let at = 0; ;) {
    const headEnd = received.indexOf('\r\n\r\n', at)
    if (headEnd === -1) return found
    const [statusLine, ...lines] = received.toString('latin1', at, headEnd).split('\r\n')
    const headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const end = headEnd + 4 + Number(headers['content-length'] ?? 0)
    if (received.length < end) return found
    found.push({
      status: Number(statusLine!.split(' ')[1]),
      headers,
      body: received.toString('utf8', headEnd + 4, end),
    })
    at = end
  }
}
