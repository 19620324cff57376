/** Branded strings: what was parsed at the edge stays parsed (CONTRIBUTING R1). */

declare const brand: unique symbol
export type Brand<Name extends string> = string & { readonly [brand]: Name }

export type ServerName = Brand<'ServerName'>
export type UserId = Brand<'UserId'>
export type RoomId = Brand<'RoomId'>
export type EventId = Brand<'EventId'>
export type RoomAlias = Brand<'RoomAlias'>
/** A device id: opaque, 1 to 512 characters (our limit). */
export type DeviceId = Brand<'DeviceId'>
