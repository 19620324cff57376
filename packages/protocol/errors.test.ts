import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ERRORS, MatrixError, matrixError } from './errors.ts'

/** Every errcode that the text and the API definitions of Matrix v1.19 mention, without those of examples. */
const MENTIONED_IN_V1_19 = `
  M_APPSERVICE_LOGIN_UNSUPPORTED M_BAD_ALIAS M_BAD_JSON M_BAD_STATE M_BAD_STATUS
  M_CANNOT_LEAVE_SERVER_NOTICE_ROOM M_CANNOT_OVERWRITE_MEDIA M_CAPTCHA_INVALID M_CAPTCHA_NEEDED
  M_CONNECTION_FAILED M_CONNECTION_TIMEOUT M_DESTINATION_REJECTED M_DUPLICATE_ANNOTATION M_EMAIL_SEND_ERROR
  M_EXCLUSIVE M_FORBIDDEN M_GUEST_ACCESS_FORBIDDEN M_INCOMPATIBLE_ROOM_VERSION M_INVALID_ADDRESS
  M_INVALID_EMAIL M_INVALID_PARAM M_INVALID_PEPPER M_INVALID_ROOM_STATE M_INVALID_SIGNATURE M_INVALID_USERNAME
  M_INVITE_BLOCKED M_KEY_TOO_LARGE M_LIMIT_EXCEEDED M_MISSING_PARAM M_MISSING_PARAMS M_MISSING_TOKEN
  M_NOT_FOUND M_NOT_JSON M_NOT_YET_UPLOADED M_NO_VALID_SESSION M_PROFILE_TOO_LARGE M_RESOURCE_LIMIT_EXCEEDED
  M_ROOM_IN_USE M_SEND_ERROR M_SERVER_NOT_TRUSTED M_SESSION_EXPIRED M_SESSION_NOT_VALIDATED M_TERMS_NOT_SIGNED
  M_THREEPID_AUTH_FAILED M_THREEPID_DENIED M_THREEPID_IN_USE M_THREEPID_MEDIUM_NOT_SUPPORTED
  M_THREEPID_NOT_FOUND M_TOKEN_INCORRECT M_TOO_LARGE M_UNABLE_TO_AUTHORISE_JOIN M_UNABLE_TO_GRANT_JOIN
  M_UNAUTHORIZED M_UNKNOWN M_UNKNOWN_DEVICE M_UNKNOWN_TOKEN M_UNRECOGNIZED M_UNSUPPORTED_ROOM_VERSION
  M_URL_NOT_SET M_USER_DEACTIVATED M_USER_IN_USE M_USER_LIMIT_EXCEEDED M_USER_LOCKED M_USER_SUSPENDED
  M_WEAK_PASSWORD M_WRONG_ROOM_KEYS_VERSION
`

/** The same of August 2018. */
const MENTIONED_IN_2018_08 = `
  M_BAD_JSON M_BAD_PAGINATION M_EMAIL_SEND_ERROR M_EXCLUSIVE M_FORBIDDEN M_INVALID_EMAIL M_INVALID_ROOM_STATE
  M_INVALID_USERNAME M_LIMIT_EXCEEDED M_MISSING_PARAM M_MISSING_TOKEN M_NOT_FOUND M_NOT_JSON M_NO_VALID_SESSION
  M_ROOM_IN_USE M_SERVER_NOT_TRUSTED M_SESSION_EXPIRED M_SESSION_NOT_VALIDATED M_THREEPID_AUTH_FAILED
  M_THREEPID_IN_USE M_THREEPID_NOT_FOUND M_UNKNOWN M_UNKNOWN_TOKEN M_UNRECOGNIZED M_USER_IN_USE M_WEAK_PASSWORD
`

describe('error catalogue', () => {
  it('has every errcode that the specification mentions, today and in 2018', () => {
    const mentioned = `${MENTIONED_IN_V1_19} ${MENTIONED_IN_2018_08}`.split(/\s+/).filter((code) => code !== '')
    assert.ok(mentioned.length > 90)
    assert.deepEqual(
      mentioned.filter((code) => !Object.hasOwn(ERRORS, code)),
      [],
    )
  })

  it('gives each errcode an error status and a sentence', () => {
    for (const [code, { status, when }] of Object.entries(ERRORS)) {
      assert.match(code, /^M_[A-Z_]+$/)
      assert.ok(status >= 400 && status < 600, code)
      assert.match(when, /^[A-Z].*\.$/, code)
    }
  })
})

describe('matrix error', () => {
  it('has the status of its errcode unless another is given', () => {
    assert.equal(matrixError('M_FORBIDDEN', 'You are not in this room.').status, 403)
    assert.equal(matrixError('M_UNRECOGNIZED', 'Use GET.', { status: 405 }).status, 405)
  })

  it('carries further members of the error body', () => {
    const error = matrixError('M_LIMIT_EXCEEDED', 'Slow down.', { extra: { retry_after_ms: 500 } })
    assert.ok(error instanceof MatrixError)
    assert.deepEqual(error.extra, { retry_after_ms: 500 })
  })
})
