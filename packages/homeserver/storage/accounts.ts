/** SQL of accounts: who may log in here, and how. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { bool, sql } from '@holdfast/platform/database/sql'

/** `accounts.kind`. */
export const ACCOUNT_KINDS = { user: 0, guest: 1, appservice: 2 } as const
export type AccountKind = keyof typeof ACCOUNT_KINDS

export type AccountRow = {
  user_nid: number
  user_id: string
  password_hash: string | null
  kind: number
  is_admin: number
  is_locked: number
  is_suspended: number
  is_erased: number
  created_ms: number
  deactivated_ms: number | null
}

export function accountOf(db: Reader, userNid: number): Promise<AccountRow | undefined> {
  return db.row<AccountRow>(
    sql`SELECT a.user_nid, u.user_id, a.password_hash, a.kind, a.is_admin, a.is_locked, a.is_suspended, a.is_erased,
          a.created_ms, a.deactivated_ms
        FROM accounts a JOIN users u ON u.user_nid = a.user_nid WHERE a.user_nid = ${userNid}`,
  )
}

/** The account whose localpart is this but for capitals. */
export function accountByFoldedName(db: Reader, foldedName: string): Promise<AccountRow | undefined> {
  return db.row<AccountRow>(
    sql`SELECT a.user_nid, u.user_id, a.password_hash, a.kind, a.is_admin, a.is_locked, a.is_suspended, a.is_erased,
          a.created_ms, a.deactivated_ms
        FROM accounts a JOIN users u ON u.user_nid = a.user_nid WHERE a.folded_name = ${foldedName}`,
  )
}

/** Breaks its expectation if the name is taken. */
export function insertAccount(account: {
  readonly userNid: number
  readonly foldedName: string
  readonly passwordHash: string | undefined
  readonly kind: AccountKind
  readonly isAdmin: boolean
  readonly createdMs: number
  readonly acceptedTerms: string | undefined
}): Statement {
  return statement(
    sql`INSERT INTO accounts (user_nid, folded_name, password_hash, kind, is_admin, is_locked, is_suspended, is_erased,
          created_ms, deactivated_ms, is_leaving, accepted_terms)
        VALUES (${account.userNid}, ${account.foldedName}, ${account.passwordHash ?? null},
          ${ACCOUNT_KINDS[account.kind]}, ${bool(account.isAdmin)}, 0, 0, 0, ${account.createdMs}, NULL, 0,
          ${account.acceptedTerms ?? null})
        ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

/** Breaks its expectation unless it is the active account of a guest. */
export function promoteGuest(change: {
  readonly userNid: number
  readonly passwordHash: string | undefined
  readonly acceptedTerms: string | undefined
}): Statement {
  return statement(
    sql`UPDATE accounts SET kind = ${ACCOUNT_KINDS.user}, password_hash = ${change.passwordHash ?? null},
          accepted_terms = ${change.acceptedTerms ?? null}
        WHERE user_nid = ${change.userNid} AND kind = ${ACCOUNT_KINDS.guest} AND deactivated_ms IS NULL`,
    { changes: 1 },
  )
}

/** Breaks its expectation if the account is deactivated. */
export function setPasswordHash(change: { readonly userNid: number; readonly passwordHash: string }): Statement {
  return statement(
    sql`UPDATE accounts SET password_hash = ${change.passwordHash}
        WHERE user_nid = ${change.userNid} AND deactivated_ms IS NULL`,
    { changes: 1 },
  )
}

/** Changes nothing; breaks its expectation unless the account is active and has this password still. */
export function requirePasswordHash(userNid: number, passwordHash: string): Statement {
  return statement(
    sql`UPDATE accounts SET password_hash = password_hash
        WHERE user_nid = ${userNid} AND password_hash = ${passwordHash} AND deactivated_ms IS NULL`,
    { changes: 1 },
  )
}

/** Stores the hash of the same password under newer parameters, unless the password was changed meanwhile. */
export function replacePasswordHash(change: {
  readonly userNid: number
  readonly before: string
  readonly after: string
}): Statement {
  return statement(
    sql`UPDATE accounts SET password_hash = ${change.after}
        WHERE user_nid = ${change.userNid} AND password_hash = ${change.before}`,
  )
}

/** Breaks its expectation if the account is deactivated already. */
export function deactivateAccount(change: {
  readonly userNid: number
  readonly erase: boolean
  readonly nowMs: number
}): Statement {
  return statement(
    sql`UPDATE accounts SET deactivated_ms = ${change.nowMs}, is_erased = ${bool(change.erase)}, is_leaving = 1
        WHERE user_nid = ${change.userNid} AND deactivated_ms IS NULL`,
    { changes: 1 },
  )
}

/** Deactivated users who asked to be erased. */
export function erasedUsers(db: Reader): Promise<readonly number[]> {
  return db.column(sql`SELECT user_nid FROM accounts WHERE is_erased = 1 ORDER BY user_nid`)
}

/** Deactivated users that have not left all their rooms yet. */
export function leavingUsers(db: Reader): Promise<readonly { user_nid: number; user_id: string }[]> {
  return db.all(
    sql`SELECT a.user_nid, u.user_id FROM accounts a JOIN users u ON u.user_nid = a.user_nid
        WHERE a.is_leaving = 1 ORDER BY a.user_nid`,
  )
}

export function hasLeft(userNid: number): Statement {
  return statement(sql`UPDATE accounts SET is_leaving = 0 WHERE user_nid = ${userNid}`)
}

export function setLocked(change: { readonly userNid: number; readonly isLocked: boolean }): Statement {
  return statement(sql`UPDATE accounts SET is_locked = ${bool(change.isLocked)} WHERE user_nid = ${change.userNid}`, {
    changes: 1,
  })
}

export function setSuspended(change: { readonly userNid: number; readonly isSuspended: boolean }): Statement {
  return statement(
    sql`UPDATE accounts SET is_suspended = ${bool(change.isSuspended)} WHERE user_nid = ${change.userNid}`,
    { changes: 1 },
  )
}

/** Whether there is any administrator. */
export function anyAdmin(db: Reader): Promise<{ user_nid: number } | undefined> {
  return db.row(
    sql`SELECT user_nid FROM accounts WHERE is_admin = 1 AND deactivated_ms IS NULL ORDER BY user_nid LIMIT 1`,
  )
}
