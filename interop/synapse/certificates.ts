/** A certificate authority for one run, and certificates of it for servers that are named by their address. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

export type Certificate = { readonly certFile: string; readonly keyFile: string }

export type Authority = { readonly caFile: string; issue(address: string): Certificate }

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Its files are in `folder`. */
export function createAuthority(folder: string): Authority {
  const ca = { certFile: join(folder, 'ca.pem'), keyFile: join(folder, 'ca.key') }
  openssl(
    'req',
    '-x509',
    ...NEW_KEY,
    '-subj',
    '/CN=Interop CA',
    '-days',
    '3',
    '-out',
    ca.certFile,
    '-keyout',
    ca.keyFile,
  )
  return { caFile: ca.certFile, issue: (address) => issue({ folder, ca, address }) }
}

type Order = { readonly folder: string; readonly ca: Certificate; readonly address: string }

function issue({ folder, ca, address }: Order): Certificate {
  const file = (extension: string): string => join(folder, `${address}.${extension}`)
  const [request, extensions, certFile, keyFile] = [file('csr'), file('ext'), file('pem'), file('key')]
  // A name that is an address is looked for among the addresses of a certificate only. RFC 6125, 1.7.2
  writeFileSync(extensions, `subjectAltName = IP:${address}\nbasicConstraints = critical, CA:FALSE\n`)
  openssl('req', ...NEW_KEY, '-subj', `/CN=${address}`, '-out', request, '-keyout', keyFile)
  const signing = ['-CA', ca.certFile, '-CAkey', ca.keyFile, '-CAcreateserial', '-days', '2', '-extfile', extensions]
  openssl('x509', '-req', '-in', request, ...signing, '-out', certFile)
  return { certFile, keyFile }
}

function openssl(...args: readonly string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
