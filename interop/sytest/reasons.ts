/** Why tests fail that fail: the first rule that fits a test's file, name or detail. */
import type { Result } from './tap.ts'

type Rule = { readonly file?: RegExp; readonly name?: RegExp; readonly detail?: RegExp; readonly reason: string }

const RULES: readonly Rule[] = [
  {
    name: /\b(remote|federat\w*|other homeservers?|second server|over federation)\b/i,
    reason: 'needs a second server: federation is not built yet',
  },
  { file: /03members-remote|04federation/, reason: 'needs a second server: federation is not built yet' },
  { file: /12thirdpartyinvite/, reason: 'needs the identity service, which is not built yet' },
  { file: /13guestaccess/, name: /[Gg]uest/, reason: 'guest accounts are not built yet' },
  { name: /3pid|threepid|third.?party|e-?mail/i, reason: 'needs third-party identifiers, which are not built yet' },
  { name: /\bCAS\b|SSO/, reason: 'needs single sign-on, which is not built yet' },
  { name: /push ?rules?|pusher|push/i, reason: 'push rules and pushers are not built yet' },
]

export function reasonFor(result: Result): string | undefined {
  return RULES.find(
    ({ file, name, detail }) =>
      (file?.test(result.file) ?? true) && (name?.test(result.name) ?? true) && (detail?.test(result.detail) ?? true),
  )?.reason
}
