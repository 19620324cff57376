/** An HttpClient that answers from a script, and remembers what it was asked. */
import {
  type HttpClient,
  OutgoingFailed,
  type OutgoingFailure,
  type OutgoingRequest,
} from '@holdfast/platform/http/client'

export type ScriptedAnswer = {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** A value is sent as JSON, text as it is. */
  readonly body?: unknown
  readonly failure?: OutgoingFailure
  readonly maybeSent?: boolean
}

export type ScriptedHttp = HttpClient & { readonly requests: OutgoingRequest[] }

/** @param answer undefined: there is nobody */
export function scriptedHttp(
  answer: (request: OutgoingRequest) => ScriptedAnswer | undefined | Promise<ScriptedAnswer | undefined>,
): ScriptedHttp {
  const requests: OutgoingRequest[] = []
  return {
    requests,
    send: async (request) => {
      requests.push(request)
      const told = (await answer(request)) ?? { failure: 'unreachable' as const, maybeSent: false }
      if (told.failure !== undefined)
        throw new OutgoingFailed(told.failure, 'as scripted', { maybeSent: told.maybeSent ?? true })
      const text = typeof told.body === 'string' ? told.body : JSON.stringify(told.body ?? {})
      return { status: told.status ?? 200, headers: told.headers ?? {}, body: Buffer.from(text) }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}
