/** Certificate authorities that the operator trusts beside the usual ones. */
import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'

const BLOCK = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

/** @throws {Error} the file cannot be read, or holds anything but certificates: half of them would be worse than none */
export async function readTrustedCa(file: string): Promise<string> {
  const text = await readFile(file, 'utf8')
  const blocks = text.match(BLOCK) ?? []
  if (blocks.length === 0) throw new Error(`${file} holds no certificate in PEM form`)
  for (const [index, block] of blocks.entries()) {
    try {
      void new X509Certificate(block)
    } catch (error) {
      throw new Error(`certificate ${index + 1} of ${file} cannot be read`, { cause: error })
    }
  }
  return blocks.join('\n')
}
