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
  M_RESOURCE_LIMIT_EXCEEDED: { status: 403, when: 'The server has reached a limit of its own; see admin_contact.' },
  M_USER_LIMIT_EXCEEDED: { status: 403, when: 'The account has reached one of its limits; see info_uri.' },
  M_USER_LOCKED: { status: 401, when: 'The account is locked by an administrator.' },
  M_USER_SUSPENDED: { status: 403, when: 'The account is suspended and may not act in rooms.' },
  M_UNKNOWN_DEVICE: { status: 400, when: 'The device that an application service named is not one of the user.' },
  M_APPSERVICE_LOGIN_UNSUPPORTED: {
    status: 400,
    when: 'This server logs users of application services in by OAuth only.',
  },
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM: { status: 403, when: 'The room of server notices cannot be refused or left.' },
  M_CAPTCHA_NEEDED: { status: 401, when: 'A captcha must be solved first.' },
  M_CAPTCHA_INVALID: { status: 401, when: 'The answer to the captcha is wrong.' },
  M_BAD_ALIAS: { status: 400, when: 'An alias of the canonical alias event does not lead to this room.' },
  M_BAD_PAGINATION: { status: 400, when: 'The parameters for paging contradict one another.' },
  M_INVITE_BLOCKED: { status: 403, when: 'The invited user does not accept this invite.' },
  M_UNABLE_TO_AUTHORISE_JOIN: {
    status: 400,
    when: 'The server cannot tell whether the user fulfils a condition of the restricted room.',
  },
  M_UNABLE_TO_GRANT_JOIN: {
    status: 400,
    when: 'The user may join the restricted room, but no user of this server may admit anyone; ask another server.',
  },
  M_THREEPID_AUTH_FAILED: {
    status: 403,
    when: 'The e-mail address or phone number is not proven to be of the requester.',
  },
  M_THREEPID_DENIED: { status: 403, when: 'The server does not admit this e-mail address or phone number.' },
  M_THREEPID_IN_USE: { status: 400, when: 'The e-mail address or phone number belongs to another account.' },
  M_THREEPID_NOT_FOUND: { status: 400, when: 'No account has this e-mail address or phone number.' },
  M_THREEPID_MEDIUM_NOT_SUPPORTED: { status: 400, when: 'The server does not take identifiers of this medium.' },
  M_SERVER_NOT_TRUSTED: { status: 400, when: 'The identity server is not one that this server trusts.' },
  M_TERMS_NOT_SIGNED: { status: 403, when: 'The terms of the service must be accepted first.' },
  M_SESSION_NOT_VALIDATED: { status: 400, when: 'The validation session has not been completed.' },
  M_SESSION_EXPIRED: { status: 400, when: 'The validation session is too old.' },
  M_NO_VALID_SESSION: { status: 404, when: 'No validation session fits the id and the secret.' },
  M_TOKEN_INCORRECT: { status: 400, when: 'The token for the validation is wrong.' },
  M_INVALID_EMAIL: { status: 400, when: 'The e-mail address is not one.' },
  M_EMAIL_SEND_ERROR: { status: 400, when: 'The e-mail could not be sent.' },
  M_INVALID_ADDRESS: { status: 400, when: 'The phone number is not one.' },
  M_SEND_ERROR: { status: 400, when: 'The text message could not be sent.' },
  M_DESTINATION_REJECTED: { status: 400, when: 'Text messages cannot be sent to this country or number.' },
  M_INVALID_PEPPER: { status: 400, when: 'The pepper of the lookup has been replaced; ask for the current one.' },
  M_MISSING_PARAMS: { status: 400, when: 'Required parameters of the identity service are missing.' },
  M_INVALID_SIGNATURE: { status: 400, when: 'A signature does not hold, or not by the key that had to make it.' },
  M_WRONG_ROOM_KEYS_VERSION: { status: 403, when: 'The key backup has a newer version; see current_version.' },
  M_NOT_YET_UPLOADED: { status: 504, when: 'The media has been announced but not uploaded in time.' },
  M_CANNOT_OVERWRITE_MEDIA: { status: 409, when: 'The media has been uploaded already.' },
  M_PROFILE_TOO_LARGE: { status: 400, when: 'The profile would exceed 64 KiB.' },
  M_KEY_TOO_LARGE: { status: 400, when: 'The key of a profile field exceeds 255 bytes.' },
  M_URL_NOT_SET: { status: 400, when: 'The application service has no URL to be pinged at.' },
  M_BAD_STATUS: { status: 502, when: 'The application service answered the ping with an error.' },
  M_CONNECTION_FAILED: { status: 502, when: 'The application service cannot be reached.' },
  M_CONNECTION_TIMEOUT: { status: 504, when: 'The application service did not answer the ping in time.' },
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
