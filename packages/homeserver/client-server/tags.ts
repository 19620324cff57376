/** /user/{userId}/rooms/{roomId}/tags. <https://spec.matrix.org/v1.19/client-server-api/#room-tagging> */
import * as tags from '@holdfast/api/generated/client-server/tags'
import { members } from '@holdfast/api/operation'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { accountDataText, updateAccountData } from '../account-data/account-data.ts'
import { accountRoomNid, assertOwn, assertType } from '../account-data/checks.ts'
import { route } from './route.ts'

const TAGS = 'm.tag'

export const getRoomTags = route(tags.getRoomTags, async ({ deps, requester, params }) => {
  assertOwn(requester, params.userId)
  const roomNid = await accountRoomNid(deps, requester, params.roomId)
  const text = await accountDataText(deps, { userNid: requester.userNid, roomNid, type: TAGS })
  return { tags: tagsIn(text === undefined ? {} : (JSON.parse(text) as JsonObject)) }
})

export const setRoomTag = route(tags.setRoomTag, async ({ deps, requester, params, body }) => {
  assertOwn(requester, params.userId)
  const tag = assertType(params.tag)
  const roomNid = await accountRoomNid(deps, requester, params.roomId)
  await updateAccountData(deps, { userNid: requester.userNid, roomNid, type: TAGS }, (content) => ({
    ...content,
    tags: Object.fromEntries([...Object.entries(tagsIn(content)), [tag, members(body)]]),
  }))
  return {}
})

export const deleteRoomTag = route(tags.deleteRoomTag, async ({ deps, requester, params }) => {
  assertOwn(requester, params.userId)
  const roomNid = await accountRoomNid(deps, requester, params.roomId)
  await updateAccountData(deps, { userNid: requester.userNid, roomNid, type: TAGS }, (content) => ({
    ...content,
    tags: Object.fromEntries(Object.entries(tagsIn(content)).filter(([tag]) => tag !== params.tag)),
  }))
  return {}
})

function tagsIn(content: JsonObject): JsonObject {
  return isObject(content['tags']) ? content['tags'] : {}
}
