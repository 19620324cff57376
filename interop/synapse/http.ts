/** Requests of the Client-Server API, to either server alike. */
import { setTimeout as sleep } from 'node:timers/promises'

// oxlint-disable-next-line typescript/no-explicit-any -- what servers answer, read by tests
export type Body = any

export type Call = {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE'
  /** After `/_matrix/client/v3`, or whole. */
  readonly path: string
  readonly token?: string | undefined
  readonly body?: object | undefined
  readonly timeoutMs?: number | undefined
}

/** An answer that is not 2xx; the message tells the request and all of the answer. */
export class Refused extends Error {
  readonly status: number
  readonly body: Body

  constructor(parts: { readonly url: string; readonly call: Call; readonly status: number; readonly text: string }) {
    const { url, call, status, text } = parts
    super(`${call.method} ${url} ${JSON.stringify(call.body ?? null)} was answered ${status} ${text}`)
    this.status = status
    this.body = parse(text)
  }
}

const TIMEOUT_MS = 60_000
/** The first request after a restart may get a connection that is dead already. */
const TRIES_MAX = 3

export async function send(baseUrl: string, call: Call): Promise<Body> {
  const url = `${baseUrl}${call.path.startsWith('/_') ? '' : '/_matrix/client/v3'}${call.path}`
  for (let tries = 1; ; tries += 1) {
    try {
      return await sendOnce(url, call)
    } catch (error) {
      if (!(error instanceof TypeError) || call.method === 'POST' || tries === TRIES_MAX) {
        throw error instanceof Refused ? error : new Error(`${call.method} ${url} failed`, { cause: error })
      }
      await sleep(100)
    }
  }
}

async function sendOnce(url: string, call: Call): Promise<Body> {
  const response = await fetch(url, {
    method: call.method,
    headers: {
      'content-type': 'application/json',
      ...(call.token === undefined ? {} : { authorization: `Bearer ${call.token}` }),
    },
    signal: AbortSignal.timeout(call.timeoutMs ?? TIMEOUT_MS),
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Refused({ url, call, status: response.status, text })
  return parse(text)
}

function parse(text: string): Body {
  try {
    return JSON.parse(text)
  } catch {
    return { notJson: text }
  }
}

/** A part of a path. */
export function segment(text: string): string {
  return encodeURIComponent(text)
}
