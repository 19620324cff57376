/** The two servers of a run, with one certificate authority that both trust. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAuthority } from './certificates.ts'
import { prepareFederatingHoldfast } from './holdfast.ts'
import { installSynapse } from './install.ts'
import type { Peer } from './peer.ts'
import { prepareSynapse } from './synapse.ts'

export type Pair = AsyncDisposable & {
  readonly first: Peer
  readonly second: Peer
  /** Copies the logs of both to where they stay, and says where. */
  keepLogs(): string
}

export type PairOptions = {
  /** Synapse in both seats: what fails then is wrong in the tests, or in Synapse. */
  readonly peerBoth: boolean
  readonly synapseVersion: string | undefined
}

const [FIRST_ADDRESS, SECOND_ADDRESS] = ['127.0.0.3', '127.0.0.2']

export async function startPair({ peerBoth, synapseVersion }: PairOptions): Promise<Pair> {
  const python = installSynapse(synapseVersion)
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-interop-synapse-'))
  const authority = createAuthority(folder)
  const synapse = (label: string, address: string): Promise<Peer> =>
    prepareSynapse({ label, address, python, authority, folder: join(folder, label.replace(' ', '-')) })
  const first = peerBoth
    ? await synapse('Synapse A', FIRST_ADDRESS)
    : await prepareFederatingHoldfast({ address: FIRST_ADDRESS, authority })
  const second = await synapse(peerBoth ? 'Synapse B' : 'Synapse', SECOND_ADDRESS)
  const close = async (): Promise<void> => {
    await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()])
    if (process.env['INTEROP_KEEP'] === undefined) rmSync(folder, { recursive: true, force: true })
  }
  try {
    await Promise.all([first.start(), second.start()])
  } catch (error) {
    await close()
    throw error
  }
  return { first, second, keepLogs: () => keepLogs([first, second]), [Symbol.asyncDispose]: close }
}

function keepLogs(peers: readonly Peer[]): string {
  const folder = join(tmpdir(), 'holdfast-interop-synapse-logs')
  mkdirSync(folder, { recursive: true })
  for (const { label, logFile } of peers) copyFileSync(logFile, join(folder, `${label.replace(' ', '-')}.log`))
  return folder
}
