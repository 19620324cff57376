/**
 * Where the two revisions, or the specification and its users, disagree: each entry says what is done and why.
 * Keys are `<api>/<operationId>`; operation ids are those of v1.19 where it has the operation.
 */

/** 2018 operations that answer through a newer one: their paths become further paths of it. */
export const ANSWERED_BY: Readonly<Record<string, string>> = {
  // v1.19 has one operation with an optional trailing slash for the empty state key; 2018 had two operations.
  'client-server/setRoomState': 'setRoomStateWithKey',
  'client-server/getRoomStateByType': 'getRoomStateWithKey',
  // v1.19 has one operation for all profile fields.
  'client-server/setDisplayName': 'setProfileField',
  'client-server/setAvatarUrl': 'setProfileField',
  'client-server/getDisplayName': 'getProfileField',
  'client-server/getAvatarUrl': 'getProfileField',
  // One path, one operation: the room to peek into is one more query parameter.
  'client-server/peekEvents': 'getEvents',
}

/** Paths beside those of the specification data: the trailing slash of an empty state key is optional. */
export const FURTHER_PATHS: Readonly<Record<string, readonly string[]>> = {
  'client-server/setRoomStateWithKey': ['/_matrix/client/v3/rooms/{roomId}/state/{eventType}/'],
  'client-server/getRoomStateWithKey': ['/_matrix/client/v3/rooms/{roomId}/state/{eventType}/'],
}

/** The value of a path parameter on those paths of an operation that do not have it. */
export const ABSENT_PARAMETERS: Readonly<Record<string, string>> = {
  stateKey: '',
  scope: 'global',
  keyId: '',
}

/** Path parameters with few values. In 2018 push rules had a scope, of which only `global` is left. */
export const PARAMETER_VALUES: Readonly<Record<string, readonly string[]>> = { scope: ['global'] }

/**
 * Two operations on one path: the body tells which is meant. The first is kept; a body with `member` has the shape of
 * the second.
 */
export const CHOSEN_BY_BODY: Readonly<Record<string, { readonly other: string; readonly member: string }>> = {
  'client-server/inviteUser': { other: 'inviteBy3PID', member: 'medium' },
}

/** Query parameters that another revision had, and that clients still send, as they would be defined today. */
export const FURTHER_QUERY: Readonly<
  Record<string, readonly { name: string; type: 'array' | 'string'; format?: string }[]>
> = {
  // `server_name` was the name of `via` until v1.13.
  'client-server/joinRoom': [{ name: 'server_name', type: 'array', format: 'mx-server-name' }],
  'client-server/knockRoom': [{ name: 'server_name', type: 'array', format: 'mx-server-name' }],
}

/** Required by v1.19, but left out by clients that servers have always served. */
export const OPTIONAL_QUERY: Readonly<Record<string, readonly string[]>> = {
  // `/events` without a room is the old event stream; `room_id` is required only for peeking.
  'client-server/getEvents': ['room_id'],
}

/** Required members (dots between names, `[]` for items) that may be absent all the same. */
export const OPTIONAL_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  // Identity servers had no access tokens in 2018.
  'client-server/inviteBy3PID': ['id_access_token'],
  'client-server/createRoom': ['invite_3pid[].id_access_token'],
  'client-server/post3PIDs': ['three_pid_creds.id_access_token'],
}

/** Strings whose listed values are not the only ones in use. */
export const OPEN_VALUES: Readonly<Record<string, readonly string[]>> = {
  // Push gateways define formats of their own.
  'client-server/postPusher': ['data.format'],
}

/** What clients send beside the type of the specification (`{}`: each value of a record), and servers have always taken. */
export const ALSO_TAKEN: Readonly<Record<string, Readonly<Record<string, 'integer' | 'object'>>>> = {
  // Sytest and other clients in languages without booleans send 1 and 0.
  'client-server/setTyping': { typing: 'integer' },
  // Clients of 2018 ask for all devices of a user with `{}` instead of `[]`.
  'client-server/queryKeys': { 'device_keys{}': 'object' },
}

/** Members whose content is checked elsewhere, with better knowledge: any JSON is let through here. */
export const OPAQUE_MEMBERS: Readonly<Record<string, readonly string[]>> = {
  // One bad PDU or EDU must not fail its transaction: each is parsed by the room version's rules.
  'server-server/sendTransaction': ['pdus', 'edus'],
  // The event of an invite, and a proposed auth chain: likewise.
  'server-server/sendInviteV2': ['event'],
  'server-server/compareEventAuth': ['auth_chain'],
  // The same for application services, who are on the receiving end of this one.
  'application-service/sendTransaction': ['events', 'ephemeral', 'to_device'],
  // Whatever is wrong with a thread is M_INVALID_PARAM, its type too.
  'client-server/postReceipt': ['thread_id'],
  // 2018 wraps it once more (`third_party_signed.signed`) on this path.
  'client-server/joinRoom': ['third_party_signed'],
}

/** Whole bodies that are events or their content: an object, parsed by the rules of the room version. */
export const OPAQUE_BODIES: readonly string[] = [
  'server-server/sendJoin',
  'server-server/sendJoinV2',
  'server-server/sendLeave',
  'server-server/sendLeaveV2',
  'server-server/sendKnock',
  'server-server/sendInviteV1',
]

export type Auth = 'none' | 'optional' | 'required'

/** The specification data is wrong or says less than its prose. */
export const AUTH: Readonly<Record<string, Auth>> = {
  // The data asks for a server's signature on a client path.
  'client-server/getRoomSummary': 'optional',
}

/** Clients may call these with a guest's token (module "Guest Access"; the data does not carry it). */
export const GUESTS: readonly string[] = [
  'getRoomState',
  'getEventContext',
  'getOneRoomEvent',
  'getRoomStateWithKey',
  'getRoomEvents',
  'getMembersByRoom',
  'roomInitialSync',
  'sync',
  'getEvents',
  'getContentAuthed',
  'getContentOverrideNameAuthed',
  'getContentThumbnailAuthed',
  'joinRoomById',
  'joinRoom',
  'leaveRoom',
  'sendMessage',
  'setRoomStateWithKey',
  'sendToDevice',
  'setProfileField',
  'deleteProfileField',
  'getDevices',
  'getDevice',
  'updateDevice',
  'getTokenOwner',
  'uploadKeys',
  'queryKeys',
  'claimKeys',
]

/** Placeholders of the 2018 data for "any further parameter", which v1.19 writes as one object. */
export const DROPPED_QUERY: readonly string[] = ['fields...', 'searchFields']
