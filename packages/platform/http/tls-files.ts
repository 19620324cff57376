/** Certificate and key from files. */
import { readFile, stat } from 'node:fs/promises'
import type { Clock } from '../clock/clock.ts'

export type TlsFiles = { readonly certFile: string; readonly keyFile: string }
export type Certificate = { readonly cert: Buffer; readonly key: Buffer }

/** @throws {Error} a file cannot be read, or the two do not belong together */
export async function readCertificate(files: TlsFiles): Promise<Certificate> {
  const [cert, key] = await Promise.all([readFile(files.certFile), readFile(files.keyFile)])
  process.getBuiltinModule('node:tls').createSecureContext({ cert, key })
  return { cert, key }
}

const LOOK_EVERY_MS = 60_000

/** Calls `changed` when a file has another time or size than before. Asking is sure where watching is not: links, mounts. */
export function watchFiles(files: TlsFiles, clock: Clock, changed: () => Promise<void>): Disposable {
  let timer: Disposable | undefined
  let stopped = false
  const look = async (before: string) => {
    const now = await signs(files)
    if (stopped) return
    // Half-written files are refused when they are read, and the next look finds them again.
    if (now !== before) await changed()
    timer = clock.after(LOOK_EVERY_MS, () => void look(now))
  }
  void signs(files).then(look)
  return {
    [Symbol.dispose]: () => {
      stopped = true
      timer?.[Symbol.dispose]()
    },
  }
}

async function signs({ certFile, keyFile }: TlsFiles): Promise<string> {
  const found = await Promise.all([certFile, keyFile].map((file) => stat(file).catch(() => undefined)))
  return found.map((file) => `${file?.mtimeMs} ${file?.size} ${file?.ino}`).join()
}
