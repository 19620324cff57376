import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { selfSigned } from './testing/certificate.ts'
import { readTrustedCa } from './trusted-ca.ts'

test('a file of authorities may hold several and say what they are, but nothing that cannot be read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-ca-'))
  const file = join(folder, 'ca.pem')
  const [one, two] = [selfSigned({ dnsNames: ['one'] }).cert, selfSigned({ dnsNames: ['two'] }).cert]
  const read = async (text: string) => {
    await writeFile(file, text)
    return readTrustedCa(file)
  }
  assert.equal((await read(`# ours\n${one}\nand theirs\n${two}`)).match(/BEGIN/g)?.length, 2)
  await assert.rejects(read(''), /no certificate/)
  await assert.rejects(read(selfSigned({ dnsNames: ['one'] }).key), /no certificate/)
  await assert.rejects(read(`${one}${two.replace('MII', 'AAA')}`), /certificate 2/)
  await assert.rejects(readTrustedCa(join(folder, 'none.pem')), { code: 'ENOENT' })
  await rm(folder, { recursive: true })
})
