/** The error catalogue: every errcode that Holdfast answers, its usual HTTP status, and when it is used. */

/** Owner: protocol. `docs/errors.md` is generated from this table. */
export const ERRORS = {
  M_FORBIDDEN: { status: 403, when: 'The requester may not do this.' },
  M_UNKNOWN_TOKEN: { status: 401, when: 'The access or refresh token is not known (any more).' },
  M_MISSING_TOKEN: { status: 401, when: 'The request needs an access token and has none.' },
  M_BAD_JSON: { status: 400, when: 'The body is JSON, but not of the required form.' },
  M_NOT_JSON: { status: 400, when: 'The body is not JSON.' },
  M_NOT_FOUND: { status: 404, when: 'There is nothing here that the requester may see.' },
  M_LIMIT_EXCEEDED: { status: 429, when: 'Too many requests; retry after retry_after_ms.' },
  M_UNRECOGNIZED: { status: 404, when: 'No such endpoint (404), or not with this method (405).' },
  M_UNKNOWN: { status: 500, when: 'Anything that has no code of its own.' },
  M_UNAUTHORIZED: { status: 401, when: 'The request is not correctly authorised.' },
  M_USER_DEACTIVATED: { status: 403, when: 'The account is deactivated.' },
  M_USER_IN_USE: { status: 400, when: 'The user ID is taken.' },
  M_INVALID_USERNAME: { status: 400, when: 'The user name does not follow the grammar.' },
  M_ROOM_IN_USE: { status: 409, when: 'The room alias is taken.' },
  M_INVALID_ROOM_STATE: {
    status: 400,
    when: 'The initial state of a room would be refused by the authorisation rules.',
  },
  M_UNSUPPORTED_ROOM_VERSION: { status: 400, when: 'The server does not support this room version.' },
  M_INCOMPATIBLE_ROOM_VERSION: { status: 400, when: 'The room version is not among those the other server supports.' },
  M_BAD_STATE: { status: 403, when: 'The change does not fit the present state, such as unbanning who is not banned.' },
  M_GUEST_ACCESS_FORBIDDEN: { status: 403, when: 'The room does not admit guests.' },
  M_MISSING_PARAM: { status: 400, when: 'A required parameter is missing.' },
  M_INVALID_PARAM: { status: 400, when: 'A parameter has a wrong value.' },
  M_TOO_LARGE: { status: 413, when: 'The request or event is too large.' },
  M_EXCLUSIVE: { status: 400, when: 'The name is reserved for an application service.' },
  M_WEAK_PASSWORD: { status: 400, when: 'The password is too weak.' },
  M_DUPLICATE_ANNOTATION: { status: 400, when: 'The same reaction was sent before.' },
} as const satisfies Record<string, { readonly status: number; readonly when: string }>

export type Errcode = keyof typeof ERRORS

/** A refusal at the edge: becomes the standard error response. */
export class MatrixError extends Error {
  readonly errcode: Errcode
  readonly status: number
  /** Further members of the error body, such as `retry_after_ms` or `soft_logout`. */
  readonly extra: Readonly<Record<string, unknown>>
  constructor(errcode: Errcode, message: string, options: { status?: number; extra?: Record<string, unknown> } = {}) {
    super(message)
    this.name = 'MatrixError'
    this.errcode = errcode
    this.status = options.status ?? ERRORS[errcode].status
    this.extra = options.extra ?? {}
  }
}

/** `throw matrixError('M_FORBIDDEN', 'You are not in this room.')`. The message is read by people: say what to do. */
export function matrixError(
  errcode: Errcode,
  message: string,
  options?: { status?: number; extra?: Record<string, unknown> },
): MatrixError {
  return new MatrixError(errcode, message, options)
}
