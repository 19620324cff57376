import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { Thread } from './thread.ts'

const CODE = `
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', (request) => {
    if (request === 'close') return parentPort.close()
    if (request === 'die') process.exit(3)
    parentPort.postMessage(request * 2)
  })
`

function aThread() {
  return new Thread<number | 'die', number>(new URL(`data:text/javascript,${encodeURIComponent(CODE)}`), {})
}

describe('thread', () => {
  it('answers in the order of the calls', async () => {
    const thread = aThread()
    assert.deepEqual(await Promise.all([thread.call(1), thread.call(2), thread.call(3)]), [2, 4, 6])
    await thread.close()
  })

  it('answers what was asked before it closes', async () => {
    const thread = aThread()
    const asked = thread.call(21)
    await thread.close()
    assert.equal(await asked, 42)
  })

  it('lets its callers know when it dies, and is started again', async () => {
    const thread = aThread()
    assert.equal(await thread.call(1), 2)
    const results = await Promise.allSettled([thread.call('die'), thread.call(2)])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    )
    assert.equal(await thread.call(3), 6)
    await thread.close()
    await thread.close()
  })

  it('a thread that is closed while it works keeps the process until it has ended', async () => {
    const file = new URL('./thread.ts', import.meta.url)
    const code = `
      import { Thread } from ${JSON.stringify(file.href)}
      const thread = new Thread(new URL(${JSON.stringify(`data:text/javascript,${encodeURIComponent(CODE)}`)}), {})
      void thread.call(1)
      await thread.close()
      console.log('ended')`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code])
    assert.equal(stdout, 'ended\n')
  })
})
