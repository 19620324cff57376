/** Names that no other run uses, because runs may share a database. */
import { randomBytes } from 'node:crypto'

const RUN = randomBytes(5).toString('hex')
let names = 0

/** A localpart, alias or word: lower-case letters, digits and `-`. */
export function uniqueName(stem: string): string {
  names += 1
  return `${stem}-${RUN}${names}`
}
