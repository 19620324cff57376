/** Commands ask a running server, if there is one; otherwise they work on the data themselves. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { addressRanges } from '@holdfast/platform/http/address-ranges'
import { OutgoingFailed, type OutgoingResponse } from '@holdfast/platform/http/client'
import { createNetworkClient } from '@holdfast/platform/http/network-client'
import { StartProblem } from '../server/start-problem.ts'
import { VERSION } from '../version.ts'
import { type ControlFile, readControlFile } from './control-file.ts'

const DEADLINE_MS = 30_000
const RESPONSE_BYTES_MAX = 1_048_576

/** @returns undefined when no server answers there */
export async function askRunningServer(
  folder: string,
  clock: Clock,
  { action, body }: { readonly action: string; readonly body: object },
): Promise<Record<string, unknown> | undefined> {
  const control = await readControlFile(folder)
  if (control === undefined) return undefined
  const response = await post(control, clock, action, body)
  // A server that knows another secret took the address of one that was killed.
  if (response === undefined || response.status === 401) return undefined
  const answer = JSON.parse(Buffer.from(response.body).toString('utf8')) as Record<string, unknown>
  if (response.status !== 200) throw new StartProblem('refused', String(answer['error']))
  return answer
}

async function post(
  { url, secret }: ControlFile,
  clock: Clock,
  action: string,
  body: object,
): Promise<OutgoingResponse | undefined> {
  const anywhere = addressRanges(['0.0.0.0/0', '::/0'])
  await using client = createNetworkClient({ clock, allow: anywhere, userAgent: `Holdfast/${VERSION}` })
  try {
    return await client.send({
      method: 'POST',
      url: `${url}/_holdfast/control/${action}`,
      headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      deadlineMs: DEADLINE_MS,
      responseBytesMax: RESPONSE_BYTES_MAX,
    })
  } catch (error) {
    if (error instanceof OutgoingFailed && error.failure === 'unreachable') return undefined
    throw error
  }
}
