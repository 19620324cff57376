/** Why tests fail that fail: the first rule that fits a test's file, name or detail. */
import type { Result } from './tap.ts'

type Rule = { readonly file?: RegExp; readonly name?: RegExp; readonly detail?: RegExp; readonly reason: string }

const NO_SECOND_SERVER = 'needs a second server: federation is not built yet'
const VERSION_12 =
  'is written for room versions before 12, in which creators are named in contents; 12 is the default here'

const RULES: readonly Rule[] = [
  { name: /\b(remote|federat\w*|other homeservers?|second server)\b/i, reason: NO_SECOND_SERVER },
  // The second server of a run listens on 8802; the first rooms of these files have one of its users in them.
  { detail: /localhost:8802|matrix\.org|server-1/, reason: NO_SECOND_SERVER },
  { file: /03members-remote|04federation/, reason: NO_SECOND_SERVER },
  {
    file: /30rooms\/(04messages|20typing|21receipts|40joinedapis)/,
    detail: /Timed out waiting for setup|lack of/,
    reason: NO_SECOND_SERVER,
  },
  { file: /32room-versions/, name: /backfill/i, reason: NO_SECOND_SERVER },
  { file: /12thirdpartyinvite/, reason: 'needs the identity service, which is not built yet' },
  {
    name: /3pid|threepid|third.?party|e-?mail/i,
    reason: 'needs e-mail addresses of accounts, which are not built yet',
  },
  { detail: /no m\.login\.cas/, reason: 'needs single sign-on, which is not built yet' },
  { name: /\bCAS\b|SSO/, reason: 'needs single sign-on, which is not built yet' },
  {
    name: /captcha/i,
    reason: 'needs a captcha, which is a service of somebody else: registration tokens do that here',
  },
  { name: /push ?rules?|pusher|push/i, reason: 'push rules of the user and pushers are not built yet' },
  {
    name: /^Ephemeral messages/,
    reason: 'is about messages that destroy themselves (MSC2228), which are not in the specification',
  },
  {
    file: /17peeking/,
    reason:
      'is about looking into rooms by sync (MSC2753), which is not in the specification; /events looks into rooms',
  },
  {
    detail: /lack of (can_change_power_levels|can_invite_presence)/,
    reason: 'is never run by Sytest: the test that shows this ability is not in it any more',
  },
  { name: /^Room creation reports m\.room\.create to myself$/, reason: VERSION_12 },
  { name: /^Global initialSync$/, reason: VERSION_12 },
  { name: /^\/upgrade copies (>100|the) power levels/, reason: VERSION_12 },
  { name: /preserves the power level of the upgrading user/, reason: VERSION_12 },
  {
    name: /joined_members fetches my membership/,
    reason: 'wants null where there is no name or avatar; the specification has text, or nothing',
  },
  {
    file: /34room-messages/,
    name: /^GET .*\/messages (returns a message|lazy loads)/,
    reason: 'wants history from before a timeline that begins with the creation of its room',
  },
  {
    name: /^Newly joined room has correct timeline/,
    reason: 'takes a timeline that is not limited and has all eight messages for one that lacks some: it counts on six',
  },
  {
    name: /^Current state appears in timeline in private history/,
    reason:
      'wants what happened while its reader was out in `timeline`, against the history visibility; it is in `state`',
  },
  {
    name: /included in an incremental sync is for senders in the timeline$/,
    reason: 'wants no m.room.guest_access in a public room; the specification has its preset set it to forbidden',
  },
  {
    name: /included in a gapped incremental sync is for senders in the timeline$/,
    reason:
      'wants the member event of who joined in a gap, but not that of who speaks after it: its own words are that it should fail',
  },
]

export function reasonFor(result: Result): string | undefined {
  return RULES.find(
    ({ file, name, detail }) =>
      (file?.test(result.file) ?? true) && (name?.test(result.name) ?? true) && (detail?.test(result.detail) ?? true),
  )?.reason
}
