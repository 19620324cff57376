/** Full case folding, for caseless matching. <https://www.unicode.org/versions/Unicode17.0.0/core-spec/chapter-5/#G21790> */

/** The two letters whose folding is not the small letter of their capital. */
const EXCEPTIONS: Readonly<Record<string, string>> = { ı: 'ı', ẞ: 'ss' }

/** Cherokee alone folds to its capitals, which are the older letters. */
const CHEROKEE = /^[\u13a0-\u13fd\uab70-\uabbf]$/

/** Statuses C and F of CaseFolding.txt. */
export function foldCase(text: string): string {
  return Array.from(text, foldCharacter).join('')
}

/** One by one: within a word, the small letter of a sigma would depend on its place. */
function foldCharacter(character: string): string {
  const exception = EXCEPTIONS[character]
  if (exception !== undefined) return exception
  const capital = character.toUpperCase()
  return CHEROKEE.test(character) ? capital : capital.toLowerCase()
}
