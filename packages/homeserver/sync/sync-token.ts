/** Tokens that name a place on the stream: everything up to the position is before it. */
import { matrixError } from '@holdfast/protocol/errors'

const TOKEN = /^s(0|[1-9][0-9]{0,15}|-[1-9][0-9]{0,15})$/

export function streamToken(position: number): string {
  return `s${position}`
}

/** @throws {MatrixError} M_INVALID_PARAM for a token that is none of ours */
export function parseStreamToken(raw: string, parameter: string): number {
  const match = TOKEN.exec(raw)
  const position = match === null ? Number.NaN : Number(match[1])
  if (!Number.isSafeInteger(position))
    throw matrixError('M_INVALID_PARAM', `\`${parameter}\` is not a token of this server.`)
  return position
}
