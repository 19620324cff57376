/** /user/{userId}/account_data and the same below /rooms. <https://spec.matrix.org/v1.19/client-server-api/#client-config> */
import * as account_data from '@holdfast/api/generated/client-server/account-data'
import { accountDataText, NO_ROOM, setAccountData as set } from '../account-data/account-data.ts'
import { accountRoomNid, assertOwn, assertSettable, assertType } from '../account-data/checks.ts'
import { matrixError } from '@holdfast/protocol/errors'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

export const setAccountData = route(account_data.setAccountData, async ({ deps, requester, params, body }) => {
  assertOwn(requester, params.userId)
  assertSettable(params.type)
  await set(deps, { userNid: requester.userNid, roomNid: NO_ROOM, type: params.type }, body)
  return {}
})

export const getAccountData = route(account_data.getAccountData, async ({ deps, requester, params }) => {
  assertOwn(requester, params.userId)
  return found(
    await accountDataText(deps, { userNid: requester.userNid, roomNid: NO_ROOM, type: assertType(params.type) }),
  )
})

export const setAccountDataPerRoom = route(
  account_data.setAccountDataPerRoom,
  async ({ deps, requester, params, body }) => {
    assertOwn(requester, params.userId)
    assertSettable(params.type)
    const roomNid = await accountRoomNid(deps, requester, params.roomId)
    await set(deps, { userNid: requester.userNid, roomNid, type: params.type }, body)
    return {}
  },
)

export const getAccountDataPerRoom = route(account_data.getAccountDataPerRoom, async ({ deps, requester, params }) => {
  assertOwn(requester, params.userId)
  const roomNid = await accountRoomNid(deps, requester, params.roomId)
  return found(await accountDataText(deps, { userNid: requester.userNid, roomNid, type: assertType(params.type) }))
})

function found(text: string | undefined): JsonText {
  if (text === undefined) throw matrixError('M_NOT_FOUND', 'There is no account data of this type.')
  return new JsonText(text)
}
