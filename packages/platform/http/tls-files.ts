/** Certificate and key from files. */
import { readFile } from 'node:fs/promises'
import { createSecureContext } from 'node:tls'

export type TlsFiles = { readonly certFile: string; readonly keyFile: string }
export type Certificate = { readonly cert: Buffer; readonly key: Buffer }

/** @throws {Error} a file cannot be read, or the two do not belong together */
export async function readCertificate(files: TlsFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
  createSecureContext({ cert, key })
  return { cert, key }
}
