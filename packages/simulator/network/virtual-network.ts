/** The way between servers. Every message takes its time, and may get lost, come twice, or find nobody. */
import { type HttpClient, OutgoingFailed, outgoingTarget } from '@holdfast/platform/http/client'
import type { OutgoingRequest, OutgoingResponse } from '@holdfast/platform/http/client'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { Random } from '@holdfast/platform/random/random'
import type { VirtualTime } from '../time/virtual-time.ts'
import { type Life, whileAlive } from '../world/life.ts'
import type { Links } from './links.ts'

/** Somebody who can be asked. undefined: the process is not there, or died over it. */
export type Station = { handle(request: HttpRequest): Promise<HttpResponse | undefined> }

export type NetworkDeps = {
  readonly time: VirtualTime
  readonly random: Random
  readonly links: Links
  readonly station: (hostname: string) => Station | undefined
  readonly note: (who: string, what: string, hidden: string) => void
  /** Sees each answer before it travels. */
  readonly answered: (exchange: Answered) => void
}

export type Answered = {
  readonly from: string
  readonly to: string
  readonly request: HttpRequest
  readonly status: number
  readonly body: string
}

export type VirtualNetwork = {
  /** The network as this life of the server sees it. */
  clientOf(from: string, life: Pick<Life, 'isOver'>): HttpClient
}

const ADDRESS = '192.0.2.1'

export function createVirtualNetwork(deps: NetworkDeps): VirtualNetwork {
  let sent = 0
  return {
    clientOf: (from, life) => ({
      send: (request) => {
        sent += 1
        return whileAlive(life, travel(deps, { from, id: `n${sent}`, request }))
      },
      [Symbol.asyncDispose]: async () => {},
    }),
  }
}

type Journey = { readonly from: string; readonly id: string; readonly request: OutgoingRequest }

function travel(deps: NetworkDeps, journey: Journey): Promise<OutgoingResponse> {
  const { from, id, request } = journey
  const { time, links, random, note } = deps
  const { hostname, path } = outgoingTarget(request.url)
  return new Promise((resolve, reject) => {
    let isOpen = true
    const close = (): boolean => {
      const wasOpen = isOpen
      isOpen = false
      timer[Symbol.dispose]()
      request.signal?.removeEventListener('abort', onAbort)
      return wasOpen
    }
    const fail = (failure: 'timeout' | 'unreachable' | 'aborted', maybeSent: boolean): void => {
      if (!close()) return
      note(from, `${id} ${failure}`, '')
      reject(new OutgoingFailed(failure, `${hostname}: ${failure}`, { maybeSent }))
    }
    const onAbort = (): void => fail('aborted', true)
    const timer = time.after(request.deadlineMs, () => fail('timeout', true))
    request.signal?.addEventListener('abort', onAbort, { once: true })
    note(from, `${id} > ${hostname} ${request.method} ${path.slice(0, 150)}`, String(request.body ?? ''))
    if (request.signal?.aborted === true) return onAbort()
    const there = links.between(from, hostname)
    if (there.isRefused) return void time.after(there.delayMs(), () => fail('unreachable', false))
    const arrive = (): void => {
      const station = deps.station(hostname)
      if (station === undefined) return fail('unreachable', false)
      const record = requestRecord(journey, path)
      station.handle(record).then(
        (response) => {
          if (response === undefined) return fail('unreachable', true)
          const answer = outgoing(response)
          deps.answered({ from, to: hostname, request: record, status: answer.status, body: textOf(answer.body) })
          note(hostname, `${id} < ${answer.status}${shortError(answer)}`, textOf(answer.body))
          const back = links.between(hostname, from)
          if (back.isLost()) return note(hostname, `${id} answer lost`, '')
          time.after(back.delayMs(), () => {
            if (close()) resolve(answer)
          })
        },
        (error: Error) => {
          throw error
        },
      )
    }
    if (there.isLost()) return note(from, `${id} lost`, '')
    time.after(there.delayMs(), arrive)
    if (there.isDoubled()) time.after(there.delayMs() + random.integer(2000), arrive)
  })
}

function requestRecord({ id, request }: Journey, target: string): HttpRequest {
  const { body = '' } = request
  const question = target.indexOf('?')
  return {
    id,
    method: request.method,
    target,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    headers: request.headers ?? {},
    body: typeof body === 'string' ? Buffer.from(body) : body,
    remoteAddress: ADDRESS,
    signal: new AbortController().signal,
  }
}

function outgoing({ status, headers = {}, body = '' }: HttpResponse): OutgoingResponse {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: bytes }
}

function textOf(body: Uint8Array): string {
  return Buffer.from(body).toString()
}

function shortError({ status, body }: OutgoingResponse): string {
  return status === 200 ? '' : ` ${textOf(body).slice(0, 160)}`
}
