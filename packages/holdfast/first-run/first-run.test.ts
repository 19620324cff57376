import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildRequest } from '@holdfast/platform/http/build-request'
import { createSeededRandom } from '@holdfast/platform/random/seeded-random'
import { matrixError } from '@holdfast/protocol/errors'
import { aFolder } from '../testing/a-holdfast.ts'
import { type FirstRunDeps, openFirstRun } from './first-run.ts'
import { openLinkTokens } from './link-tokens.ts'

async function aFirstRun(changes: Partial<FirstRunDeps> = {}) {
  const folder = await aFolder()
  const admins: string[] = []
  const deps: FirstRunDeps = {
    serverName: 'example.org',
    baseUrl: () => 'https://example.org',
    tokens: openLinkTokens(folder.path, createSeededRandom(1)),
    hasAdmin: async () => admins.length > 0,
    createAdmin: async ({ username }) => {
      await new Promise((resolve) => void setTimeout(resolve, 10))
      admins.push(username)
      return `@${username}:example.org`
    },
    ...changes,
  }
  const firstRun = openFirstRun(deps)
  const tokenOf = (link: string | undefined) => new URL(link!).searchParams.get('token')!
  const get = (token: string) => {
    return firstRun.handle(buildRequest({ id: '1', method: 'GET', target: `/_holdfast/first-run?token=${token}` }))
  }
  const post = (fields: Record<string, string>) => {
    const body = new URLSearchParams(fields).toString()
    return firstRun.handle(buildRequest({ id: '1', method: 'POST', target: '/_holdfast/first-run', body }))
  }
  return { folder, firstRun, admins, tokenOf, get, post, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() }
}

const ANN = { username: 'ann', password: 'correct horse', again: 'correct horse' }

test('the link shows a form, the form makes the administrator, and then the link is spent', async () => {
  await using context = await aFirstRun()
  const token = context.tokenOf(await context.firstRun.link())
  const form = await context.get(token)
  assert.equal(form.status, 200)
  assert.match(String(form.body), /<form method="post" action="\/_holdfast\/first-run">/)
  const done = await context.post({ token, ...ANN })
  assert.equal(done.status, 200)
  assert.match(String(done.body), /@ann:example\.org/)
  assert.deepEqual(context.admins, ['ann'])
  assert.equal((await context.get(token)).status, 410)
  assert.equal((await context.post({ token, ...ANN })).status, 410)
  assert.equal(await context.firstRun.link(), undefined)
})

test('a link of an earlier start is as good as a new one, and none is stored in clear', async () => {
  await using context = await aFirstRun()
  const first = context.tokenOf(await context.firstRun.link())
  const second = context.tokenOf(await context.firstRun.link())
  assert.equal((await context.get(first)).status, 200)
  assert.equal((await context.get(second)).status, 200)
  const stored = await readFile(join(context.folder.path, 'first-run.json'), 'utf8')
  assert.equal(stored.includes(first) || stored.includes(second), false)
})

test('without the token there is no form and no account', async () => {
  await using context = await aFirstRun()
  await context.firstRun.link()
  for (const token of ['', 'x', 'A'.repeat(43), '../x']) {
    assert.equal((await context.get(token)).status, 403)
    assert.equal((await context.post({ token, ...ANN })).status, 403)
  }
  assert.deepEqual(context.admins, [])
})

test('a damaged file holds no links, and the next link works', async () => {
  await using context = await aFirstRun()
  await writeFile(join(context.folder.path, 'first-run.json'), '{"sha256":[1,null')
  assert.equal((await context.get('x')).status, 403)
  assert.equal((await context.get(context.tokenOf(await context.firstRun.link()))).status, 200)
})

test('forms sent at once make one administrator', async () => {
  await using context = await aFirstRun()
  const token = context.tokenOf(await context.firstRun.link())
  const answers = await Promise.all(['a', 'b', 'c'].map((username) => context.post({ token, ...ANN, username })))
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(context.admins.length, 1)
})

test('what is wrong with the form is said, and the link stays good', async () => {
  await using context = await aFirstRun({
    createAdmin: async () => {
      throw matrixError('M_INVALID_USERNAME', 'No such <names>.')
    },
  })
  const token = context.tokenOf(await context.firstRun.link())
  const differ = await context.post({ token, ...ANN, again: 'other' })
  assert.equal(differ.status, 400)
  assert.match(String(differ.body), /The two passwords differ/)
  const refused = await context.post({ token, ...ANN })
  assert.equal(refused.status, 400)
  assert.match(String(refused.body), /No such &lt;names&gt;\./)
  assert.equal((await context.get(token)).status, 200)
})

test('nothing that was sent becomes markup, and the password is not sent back', async () => {
  await using context = await aFirstRun()
  const token = context.tokenOf(await context.firstRun.link())
  const hostile = '"><script>alert(1)</script>'
  const page = await context.post({ token, username: hostile, password: 'hunter2222', again: hostile })
  assert.equal(String(page.body).includes('<script'), false)
  assert.equal(String(page.body).includes('hunter2222'), false)
})

test('the page loads nothing from elsewhere, cannot be framed and leaks its address to nobody', async () => {
  await using context = await aFirstRun()
  const { headers, body } = await context.get(context.tokenOf(await context.firstRun.link()))
  const policy = headers!['content-security-policy']!
  for (const part of ["default-src 'none'", "form-action 'self'", "frame-ancestors 'none'"])
    assert.ok(policy.includes(part))
  assert.equal(headers!['referrer-policy'], 'no-referrer')
  assert.equal(headers!['cache-control'], 'no-store')
  assert.doesNotMatch(String(body), /https?:\/\/|src=|<script|<link/)
})
