/**
 * Tokens that name a place on the stream: everything up to the position is before it. Where an answer could not hold all
 * to-device messages, a second number says how far those went that it held.
 */
import { matrixError } from '@holdfast/protocol/errors'

const TOKEN = /^s(0|[1-9][0-9]{0,15}|-[1-9][0-9]{0,15})(?:\.([1-9][0-9]{0,15}))?$/

export function streamToken(position: number): string {
  // What is before all that there can be is no safe integer any more.
  return `s${Math.max(position, Number.MIN_SAFE_INTEGER)}`
}

/** `toDeviceEnd` is undefined where the answer holds all to-device messages up to the position. */
export function syncToken(position: number, toDeviceEnd: number | undefined): string {
  return toDeviceEnd === undefined ? streamToken(position) : `${streamToken(position)}.${toDeviceEnd}`
}

/** Up to where a client with this token has its to-device messages. The token is one that `parseStreamToken` takes. */
export function toDeviceEndOf(raw: string): number {
  const match = TOKEN.exec(raw)!
  const position = Number(match[1])
  return match[2] === undefined ? position : Math.min(position, Number(match[2]))
}

/** @throws {MatrixError} M_INVALID_PARAM for a token that is none of ours */
export function parseStreamToken(raw: string, parameter: string): number {
  const match = TOKEN.exec(raw)
  const position = match === null ? Number.NaN : Number(match[1])
  if (!Number.isSafeInteger(position))
    throw matrixError('M_INVALID_PARAM', `\`${parameter}\` is not a token of this server.`)
  return position
}
