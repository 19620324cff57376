import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

for (const direction of ['b', 'f'] as const) {
  test(`pages of direction ${direction} end with an empty one without \`end\``, async () => {
    await using server = await startTestHomeserver()
    const ann = await server.user('ann')
    const { room_id: room } = await ann.ok('POST', '/createRoom', {})
    let from = ''
    const seen: string[] = []
    for (;;) {
      const page = await ann.ok('GET', `/rooms/${room}/messages?dir=${direction}&limit=4${from}`)
      for (const event of page.chunk as readonly { event_id: string }[]) seen.push(event.event_id)
      assert.equal('end' in page, page.chunk.length > 0)
      if (page.end === undefined) break
      from = `&from=${page.end}`
    }
    assert.equal(new Set(seen).size, 6)
    assert.equal(seen.length, 6)
  })
}
