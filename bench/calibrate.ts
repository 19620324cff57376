/** Tells how many requests per second the load generator itself can make, against a responder that does nothing. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { HttpClient } from './http/client.ts'
import type { Session } from './matrix/session.ts'
import { measureSpan } from './measure/meter.ts'
import { figure, percent } from './report/table.ts'
import { Sender } from './workloads/sending.ts'

const BODY = JSON.stringify({ event_id: '$0123456789012345678901234567890123456789012' })
const RESPONSE = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}`
const SECONDS = 3

if (process.send === undefined) await calibrate()
else respond()

/** One request per packet is enough here: the generator never has two in flight on a connection. */
function respond(): void {
  const server = createServer((socket) => socket.on('error', () => undefined).on('data', () => socket.write(RESPONSE)))
  server.listen(0, '127.0.0.1', () => process.send!((server.address() as AddressInfo).port))
}

async function calibrate(): Promise<void> {
  const responder = fork(import.meta.filename)
  const [port] = (await once(responder, 'message')) as [number]
  const client = new HttpClient(new URL(`http://127.0.0.1:${port}`))
  const session: Session = { client, userId: '@a:b', accessToken: 'syt_0123456789_0123456789' }
  for (const inFlight of [1, 10, 64, 100]) {
    const sender = new Sender()
    const span = { workload: 'calibration', variant: 'send', inFlight, operationsMax: 1_000_000, secondsMax: SECONDS }
    const row = await measureSpan({ client }, span, async () => void (await sender.send({ session, roomId: '!r:b' })))
    const text = `${inFlight} in flight: ${figure(row.perSecond)} per s, p99 ${figure(row.latencyMs.p99)} ms`
    process.stdout.write(`${text}, generator ${percent(row.generatorCpuShare)} of a core\n`)
  }
  client.close()
  responder.kill()
}
