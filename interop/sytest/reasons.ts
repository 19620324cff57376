/** Why tests fail that fail: the first rule that fits a test's file, name or detail. */
import type { Result } from './tap.ts'

type Rule = { readonly file?: RegExp; readonly name?: RegExp; readonly detail?: RegExp; readonly reason: string }

const VERSION_12 =
  'is written for room versions before 12, in which creators are named in contents; 12 is the default here'
const REFUSAL_400 =
  'wants 403 M_FORBIDDEN where an event is not sound (no hash, no signature); here that is 400 M_INVALID_PARAM'

const RULES: readonly Rule[] = [
  {
    name: /^Typing can be explicitly stopped$|UNAVAILABLE are reported to remote|with correct prev_id$/,
    reason:
      'did not come in time, or in the wanted order, on a machine that did much else; it passed in the runs before and after',
  },
  {
    name: /Can query remote device keys using POST after|^Device deletion propagates/,
    reason: 'waits for the name of a device, which other servers are told only if a setting says so',
  },
  {
    name: /rejects invite rejections which include invalid JSON/,
    reason: 'wants M_BAD_JSON for an event that lacks other things too, which are looked at first',
  },
  // Federation.
  {
    name: /^If remote user leaves room we no longer receive device updates/,
    reason: 'takes the first news of device lists for that of the user it waits for',
  },
  {
    name: /^Remote banned user is kicked/,
    reason: 'wants a banned user to be refused the state; the specification gives it as of when they were in the room',
  },
  {
    file: /50federation\/01keys/,
    reason: 'asks a notary for the same keys several times in a second; they are fetched anew once a minute at most',
  },
  {
    file: /50federation\/02server-names/,
    reason: 'wants 400 where a request is not authenticated; the specification has 401',
  },
  {
    name: /passes make_join failures through/,
    reason: 'wants an error code of another server that is in no specification to be handed on to the client',
  },
  {
    name: /m\.room\.create events with an unknown room version/,
    reason:
      'breaks off in the test itself: its server cannot look up the edges of a room of version 1, which it claims',
  },
  {
    name: /invite response which include invalid JSON/,
    reason: 'wants 500 where another server answers nonsense; here that is 502',
  },
  {
    name: /rejects (incorrectly-signed|joins from other servers|leaves from other servers|invites which are not signed)/,
    reason: REFUSAL_400,
  },
  {
    name: /prev_events cannot be found|rejects backfill containing invalid JSON/,
    reason:
      'wants that the state is not asked for where get_missing_events gave nothing; the specification has it asked for',
  },
  {
    name: /whose auth_events are in (the wrong|a different) room/,
    reason:
      'wants an event that cites one of another room to be called handled; here its sender hears that it lacks something',
  },
  {
    file: /39redactions|32room-versions/,
    name: /redactions from (regular users|invalid servers)/i,
    reason: 'wants `redacted_by` in `unsigned`, which is not in the specification; `redacted_because` is',
  },
  {
    file: /50server-acl-endpoints/,
    detail: /400 Bad Request \S+m\.room\.server_acl/,
    reason: 'shuts out its own server, as all servers of Sytest have the same host name; that is refused here',
  },
  {
    name: /Banned servers cannot \/invite/,
    reason: 'invites a user who does not exist, and wants that to work; such an invitation is refused here',
  },
  {
    name: /Device list doesn't change if remote server is down|device list update goes missing/,
    reason: 'has devices without keys, or with keys that are none; such devices are not shown here',
  },
  {
    name: /^Ephemeral messages received from servers/,
    reason: 'is about messages that destroy themselves (MSC2228), which are not in the specification',
  },
  {
    name: /moves remote aliases|remove a room from their public directory on upgrade/,
    reason:
      'wants a server to follow an upgrade that another one made with its own aliases and list; the specification does not ask for that',
  },
  { file: /07-backup/, reason: 'needs key backup, which is not built yet' },
  { name: /^GET \/events with (non-numeric|negative) 'limit'/, reason: '`limit` is no parameter of /events' },
  {
    file: /08-cross-signing/,
    reason: 'signs nothing: its keys have signatures that do not hold, and here they are checked',
  },
  {
    file: /30rooms\/40joinedapis/,
    reason: 'wants null where there is no name or avatar; the specification has text, or nothing',
  },
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
    name: /^(Local|Remote) room members can get room messages/,
    reason: 'wants history from before a timeline that begins with the creation of its room',
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
