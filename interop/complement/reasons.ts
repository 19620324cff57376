/** Why tests of Complement fail that fail: the first rule that fits a test's name or detail. */
import type { Result } from '../sytest/tap.ts'

type Rule = { readonly name: RegExp; readonly detail?: RegExp; readonly reason: string }

const RULES: readonly Rule[] = [
  {
    name: /Media|Thumbnail|^TestContent|AsyncUpload|RoomImageRoundtrip|UrlPreview/,
    reason: 'needs the content repository, which is not built yet',
  },
  { name: /Push/, reason: 'push rules of the user and pushers are not built yet' },
  { name: /^TestSearch/, reason: 'search is not built yet' },
  { name: /^TestE2EKeyBackup/, reason: 'key backup is not built yet' },
  { name: /Relations|Threads|Thread/, reason: 'relations and threads are not built yet' },
]

export function reasonFor({ name, detail }: Result): string | undefined {
  return RULES.find((rule) => rule.name.test(name) && (rule.detail?.test(detail) ?? true))?.reason
}
