/** What every file of tests begins with: a server of its own, and clients that are stopped at the end. */
import { after, before } from 'node:test'
import { type HoldfastProcess, type HoldfastSettings, prepareHoldfast } from '../server/holdfast.ts'
import { closeClients } from './session.ts'

/** The server starts before the first test of the file. When a test failed, INTEROP_LOG=1 shows the end of its log. */
export async function serverForTests(settings?: HoldfastSettings): Promise<HoldfastProcess> {
  const server = await prepareHoldfast(settings)
  before(() => server.start())
  after(async () => {
    closeClients()
    if (process.env['INTEROP_LOG'] !== undefined) process.stderr.write(`${server.lastLog(200)}\n`)
    try {
      await server.stop()
    } finally {
      await server[Symbol.asyncDispose]()
    }
  })
  return server
}
