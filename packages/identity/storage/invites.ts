/** SQL of invitations of addresses that nobody has bound. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'
import type { Threepid } from './associations.ts'

export type InviteRow = {
  token: string
  medium: string
  address: string
  room_id: string
  sender: string
  key_id: string
  ephemeral_public_key: string
  created_ms: number
  signed_user_id: string | null
  signed_ms: number | null
}

export type NewInvite = Threepid & {
  readonly token: string
  readonly roomId: string
  readonly sender: string
  readonly keyId: string
  readonly ephemeralPublicKey: string
  readonly createdMs: number
}

/** Breaks its expectation if the address is bound by now. */
export function insertInvite(invite: NewInvite): Statement {
  const { token, medium, address, roomId, sender, keyId, ephemeralPublicKey, createdMs } = invite
  return statement(
    sql`INSERT INTO invites
          (token, medium, address, room_id, sender, key_id, ephemeral_public_key, created_ms, signed_user_id, signed_ms)
        SELECT ${token}, ${medium}, ${address}, ${roomId}, ${sender}, ${keyId}, ${ephemeralPublicKey}, ${createdMs},
               NULL, NULL
        WHERE NOT EXISTS
          (SELECT 1 FROM associations WHERE medium = ${medium} AND address = ${address} AND not_after_ms > ${createdMs})`,
    { changes: 1 },
  )
}


export function inviteOf(db: Reader, token: string): Promise<InviteRow | undefined> {
  return db.row<InviteRow>(
    sql`SELECT token, medium, address, room_id, sender, key_id, ephemeral_public_key, created_ms, signed_user_id, signed_ms
        FROM invites WHERE token = ${token}`,
  )
}

/** The oldest first. */
export function invitesOf(db: Reader, { medium, address }: Threepid, limit: number): Promise<readonly InviteRow[]> {
  return db.all<InviteRow>(
    sql`SELECT token, medium, address, room_id, sender, key_id, ephemeral_public_key, created_ms, signed_user_id, signed_ms
        FROM invites WHERE medium = ${medium} AND address = ${address} ORDER BY created_ms, token LIMIT ${limit}`,
  )
}

export async function countInvitesOf(db: Reader, { medium, address }: Threepid): Promise<number> {
  const row = await db.row<{ count: number }>(
    sql`SELECT COUNT(*) AS count FROM invites WHERE medium = ${medium} AND address = ${address}`,
  )
  return row?.count ?? 0
}

export async function isEphemeralKey(db: Reader, publicKey: string): Promise<boolean> {
  const row = await db.row(sql`SELECT 1 AS found FROM invites WHERE ephemeral_public_key = ${publicKey}`)
  return row !== undefined
}

/** An invitation is for one person: it breaks its expectation if it was signed for another. */
export function markSigned(signed: {
  readonly token: string
  readonly userId: string
  readonly signedMs: number
}): Statement {
  const { token, userId, signedMs } = signed
  return statement(
    sql`UPDATE invites SET signed_user_id = ${userId}, signed_ms = COALESCE(signed_ms, ${signedMs})
        WHERE token = ${token} AND (signed_user_id IS NULL OR signed_user_id = ${userId})`,
    { changes: 1 },
  )
}

export function deleteInvite(token: string): Statement {
  return statement(sql`DELETE FROM invites WHERE token = ${token}`)
}

export function deleteInvitesSignedBefore(ms: number): Statement {
  return statement(sql`DELETE FROM invites WHERE signed_ms < ${ms}`)
}

export function deleteInvitesBefore(ms: number): Statement {
  return statement(sql`DELETE FROM invites WHERE created_ms < ${ms}`)
}
