/** Whether a key of an identity service is still good. <https://spec.matrix.org/v1.19/identity-service-api/#get_matrixidentityv2pubkeyisvalid> */
import type { HttpClient } from '@holdfast/platform/http/client'
import { OutgoingFailed } from '@holdfast/platform/http/client'
import type { ThirdPartyKey } from '@holdfast/protocol/federation/third-party-exchange'
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject } from '@holdfast/protocol/json/value'

const DEADLINE_MS = 10_000
const ANSWER_BYTES_MAX = 10_000
const URL_CHARACTERS_MAX = 2_000

/** A service that cannot be reached has not said that it is. */
export async function isKeyGood(
  { http }: { readonly http: HttpClient },
  { publicKey, validityUrl }: ThirdPartyKey,
): Promise<boolean> {
  if (validityUrl === undefined) return true
  if (!/^https?:\/\//.test(validityUrl) || validityUrl.length > URL_CHARACTERS_MAX) return false
  const separator = validityUrl.includes('?') ? '&' : '?'
  const url = `${validityUrl}${separator}public_key=${encodeURIComponent(publicKey)}`
  try {
    const limits = { deadlineMs: DEADLINE_MS, responseBytesMax: ANSWER_BYTES_MAX }
    const { status, body } = await http.send({ method: 'GET', url, ...limits })
    const answer = status === 200 ? parseJson(body) : undefined
    return answer?.ok === true && isObject(answer.value) && answer.value['valid'] === true
  } catch (error) {
    if (error instanceof OutgoingFailed) return false
    throw error
  }
}
