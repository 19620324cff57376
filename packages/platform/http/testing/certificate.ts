/** Self-signed certificates made on the spot, so that the repository holds no private keys. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export type TestCertificate = { readonly cert: string; readonly key: string }

/** For these DNS names and IPv4 addresses, and for signing itself. Valid from 2020 to 2049, or to 2021. */
export function selfSigned(subject: {
  readonly dnsNames: readonly string[]
  readonly addresses?: readonly string[]
  readonly expired?: boolean
}): TestCertificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const name = sequence(set(sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(subject.dnsNames[0] ?? 'test')))))
  const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const alternativeNames = [
    ...subject.dnsNames.map((dnsName) => der(0x82, Buffer.from(dnsName))),
    ...(subject.addresses ?? []).map((address) => der(0x87, Buffer.from(address.split('.').map(Number)))),
  ]
  const extensions = sequence(
    extension([0x55, 0x1d, 0x11], sequence(...alternativeNames)),
    extension([0x55, 0x1d, 0x13], sequence(der(0x01, Buffer.from([0xff])))),
  )
  const body = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.from([0x01, ...randomBytes(15)])),
    ecdsaWithSha256,
    name,
    sequence(utcTime('200101000000Z'), utcTime(subject.expired === true ? '210101000000Z' : '491231235959Z')),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  )
  const signature = sign('sha256', body, privateKey)
  const certificate = sequence(body, ecdsaWithSha256, der(0x03, Buffer.concat([Buffer.from([0]), signature])))
  const base64 = certificate
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}

/** Tag, length, value (ITU-T X.690). */
function der(tag: number, value: Uint8Array): Buffer {
  const { length } = value
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), value])
}

const sequence = (...members: readonly Uint8Array[]) => der(0x30, Buffer.concat(members))
const set = (...members: readonly Uint8Array[]) => der(0x31, Buffer.concat(members))
const oid = (...bytes: readonly number[]) => der(0x06, Buffer.from(bytes))
const integer = (bytes: Uint8Array) => der(0x02, bytes)
const utcTime = (text: string) => der(0x17, Buffer.from(text))
const extension = (id: readonly number[], value: Uint8Array) => sequence(oid(...id), der(0x04, value))
