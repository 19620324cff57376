/** SQL of associations: which address belongs to whom. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql, textList } from '@holdfast/platform/database/sql'

export type Threepid = { readonly medium: string; readonly address: string }

export type AssociationRow = {
  medium: string
  address: string
  user_id: string
  bound_ms: number
  not_after_ms: number
}

export type NewAssociation = Threepid & {
  readonly userId: string
  readonly boundMs: number
  readonly notAfterMs: number
}

/** Whoever proves an address last has it. */
export function upsertAssociation(association: NewAssociation): Statement {
  const { medium, address, userId, boundMs, notAfterMs } = association
  return statement(
    sql`INSERT INTO associations (medium, address, user_id, bound_ms, not_after_ms)
        VALUES (${medium}, ${address}, ${userId}, ${boundMs}, ${notAfterMs})
        ON CONFLICT (medium, address) DO UPDATE
        SET user_id = excluded.user_id, bound_ms = excluded.bound_ms, not_after_ms = excluded.not_after_ms`,
    { changes: 1 },
  )
}

export function deleteAssociation({ medium, address, userId }: Threepid & { readonly userId: string }): Statement {
  return statement(
    sql`DELETE FROM associations WHERE medium = ${medium} AND address = ${address} AND user_id = ${userId}`,
    { changes: 1 },
  )
}

export function associationOf(
  db: Reader,
  { medium, address }: Threepid,
  nowMs: number,
): Promise<AssociationRow | undefined> {
  return db.row<AssociationRow>(
    sql`SELECT medium, address, user_id, bound_ms, not_after_ms FROM associations
        WHERE medium = ${medium} AND address = ${address} AND not_after_ms > ${nowMs}`,
  )
}

/** Those that are bound, of one medium. */
export function usersByAddress(
  db: Reader,
  { medium, addresses }: { readonly medium: string; readonly addresses: readonly string[] },
  nowMs: number,
): Promise<readonly { address: string; user_id: string }[]> {
  return db.all(
    sql`SELECT address, user_id FROM associations
        WHERE medium = ${medium} AND address IN ${textList(addresses)} AND not_after_ms > ${nowMs}
        ORDER BY address`,
  )
}

/** A page of all addresses, in order. */
export function addressesAfter(
  db: Reader,
  after: Threepid,
  limit: number,
): Promise<readonly { medium: string; address: string }[]> {
  return db.all(
    sql`SELECT medium, address FROM associations WHERE (medium, address) > (${after.medium}, ${after.address})
        ORDER BY medium, address LIMIT ${limit}`,
  )
}

export async function countAssociations(db: Reader): Promise<number> {
  const row = await db.row<{ count: number }>(sql`SELECT COUNT(*) AS count FROM associations`)
  return row?.count ?? 0
}
