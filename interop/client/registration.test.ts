import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InteractiveAuth } from 'matrix-js-sdk'
import { uniqueName } from '../server/unique-name.ts'
import { anonymousClient, refusedWith } from './session.ts'
import { serverForTests } from './suite.ts'

const server = await serverForTests({
  settings: {
    HOLDFAST_REGISTRATION: 'token',
    HOLDFAST_TERMS_URL: 'https://interop.test/terms',
  },
})

test('registration with a token and terms: the client goes through all stages', async () => {
  const registrationToken = (await server.run('token', 'create')).trim()
  const client = anonymousClient(server)
  const username = uniqueName('tok')
  const stages: string[] = []
  const auth: InteractiveAuth<{ user_id: string }> = new InteractiveAuth({
    matrixClient: client,
    doRequest: (dict) =>
      client.registerRequest({ username, password: 'a fine password', ...(dict === null ? {} : { auth: dict }) }),
    stateUpdated: (stage, status) => {
      assert.equal(status.errcode, undefined)
      if (stages.at(-1) === stage) return
      stages.push(stage)
      void auth.submitAuthDict({
        type: stage,
        ...(stage === 'm.login.registration_token' ? { token: registrationToken } : {}),
      })
    },
    requestEmailToken: () => Promise.reject(new Error('no mail here')),
  })
  const { user_id: userId } = await auth.attemptAuth()
  assert.equal(userId, `@${username}:${server.serverName}`)
  assert.deepEqual(stages.toSorted(), ['m.login.registration_token', 'm.login.terms'])
})

test('without a token there is no account', async () => {
  const client = anonymousClient(server)
  const username = uniqueName('none')
  const request = { username, password: 'a fine password' }
  const challenge = await client.registerRequest(request).catch((error: { data: { session: string } }) => error.data)
  const session = 'session' in challenge ? challenge.session : undefined
  const wrong = { type: 'm.login.registration_token', token: 'guessed', session }
  await assert.rejects(client.registerRequest({ ...request, auth: wrong }), { httpStatus: 401 })
  const dummy = { type: 'm.login.dummy', session }
  await assert.rejects(client.registerRequest({ ...request, auth: dummy }), { httpStatus: 401 })
  assert.equal(await client.isUsernameAvailable(username), true)
  await refusedWith('M_FORBIDDEN', client.loginWithPassword(username, 'a fine password'))
})
