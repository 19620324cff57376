/** The length of text in UTF-8, which is what every limit of the specification counts. */

/** Bytes of `text` in UTF-8; a lone surrogate counts three, as U+FFFD would. */
export function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    bytes += unit < 0x800 ? 1 : 2
    // A pair is four bytes: the first half adds two, the second half adds none.
    if (unit >= 0xd800 && unit < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) index += 1
  }
  return bytes
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000
}

/** Whether `text` is at most `bytesMax` bytes in UTF-8. Cheap for short text. */
export function fitsUtf8(text: string, bytesMax: number): boolean {
  if (text.length > bytesMax) return false
  return text.length * 3 <= bytesMax || utf8Length(text) <= bytesMax
}
