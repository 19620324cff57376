/** What went wrong on the way out, told apart by the errors of sockets, TLS and the HTTP parser. */
import { OutgoingFailed, type OutgoingFailure } from './client.ts'

export function outgoingFailure(error: unknown, { maybeSent }: { readonly maybeSent: boolean }): OutgoingFailed {
  const known = knownFailure(error)
  if (known !== undefined) return known
  const message = error instanceof Error && error.message !== '' ? error.message : 'no response'
  return new OutgoingFailed(failureOf(error), message, { cause: error, maybeSent })
}

/** One of ours that others have wrapped. */
function knownFailure(error: unknown): OutgoingFailed | undefined {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof OutgoingFailed) return cause
    const inner =
      cause instanceof AggregateError ? cause.errors.find((one) => one instanceof OutgoingFailed) : undefined
    if (inner !== undefined) return inner
  }
  return undefined
}

function failureOf(error: unknown): OutgoingFailure {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  const byCode = typeof code === 'string' ? (FAILURES[code] ?? certificateFailure(code)) : undefined
  // The parser's errors have a code only now and then.
  return byCode ?? (name === 'HTTPParserError' ? 'bad-response' : 'unreachable')
}

const FAILURES: Readonly<Record<string, 'timeout' | 'bad-response' | 'aborted'>> = {
  UND_ERR_DESTROYED: 'aborted',
  ETIMEDOUT: 'timeout',
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad-response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'bad-response',
  UND_ERR_INVALID_ARG: 'bad-response',
}

function certificateFailure(code: string): 'certificate' | undefined {
  return /CERT|ERR_TLS|UNABLE_TO_|SELF_SIGNED|ERR_SSL/.test(code) ? 'certificate' : undefined
}
