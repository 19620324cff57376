/** Requests whose answer may never come: then nobody knows whether they were carried out. */
import { Agent, request } from 'node:http'

export type Sending = {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** After `/_matrix/client/v3`. */
  readonly path: string
  readonly token?: string
  readonly body?: object
  readonly timeoutMs?: number
}

// oxlint-disable-next-line typescript/no-explicit-any -- what a server of the same repository answers, read by tests
export type Body = any

export type Outcome =
  | { readonly kind: 'answered'; readonly status: number; readonly body: Body }
  /** Not a whole answer: the connection broke, was refused, or took too long. */
  | { readonly kind: 'lost'; readonly why: string }

export type Http = { send(sending: Sending): Promise<Outcome>; close(): void }

const TIMEOUT_MS = 30_000

export function openHttp(baseUrl: string): Http {
  const agent = new Agent({ keepAlive: true })
  return { send: (sending) => send(baseUrl, agent, sending), close: () => agent.destroy() }
}

function send(baseUrl: string, agent: Agent, sending: Sending): Promise<Outcome> {
  const { method, path, token, body, timeoutMs = TIMEOUT_MS } = sending
  return new Promise((resolve) => {
    const lost = (why: string): void => resolve({ kind: 'lost', why })
    const headers: Record<string, string> = { 'content-type': 'application/json' }
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`
    const signal = AbortSignal.timeout(timeoutMs)
    const outgoing = request(`${baseUrl}/_matrix/client/v3${path}`, { method, headers, agent, signal }, (incoming) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
      incoming.on('error', (error) => lost(error.message))
      incoming.on('close', () => lost('the answer broke off'))
      // Node ends the response only when all of it has come, by its length or its last chunk.
      incoming.on('end', () => {
        if (!incoming.complete) return lost('the answer broke off')
        const text = Buffer.concat(chunks).toString()
        resolve({ kind: 'answered', status: incoming.statusCode ?? 0, body: parse(text) })
      })
    })
    outgoing.on('error', (error) => lost(error.message))
    outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

function parse(text: string): Body {
  try {
    return JSON.parse(text)
  } catch {
    return { notJson: text }
  }
}

export function segment(text: string): string {
  return encodeURIComponent(text)
}
