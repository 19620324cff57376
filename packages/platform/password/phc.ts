/** The PHC string form of an argon2id hash: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, unpadded base64. */

export type Argon2Parameters = { readonly memoryKib: number; readonly passes: number; readonly parallelism: number }

export type PhcHash = { readonly parameters: Argon2Parameters; readonly salt: Uint8Array; readonly hash: Uint8Array }

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

export function formatPhc({ parameters, salt, hash }: PhcHash): string {
  const { memoryKib, passes, parallelism } = parameters
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`
}

export function parsePhc(text: string): PhcHash | undefined {
  const match = PHC.exec(text)
  if (match === null) return undefined
  const [, memoryKib, passes, parallelism, salt, hash] = match
  return {
    parameters: { memoryKib: Number(memoryKib), passes: Number(passes), parallelism: Number(parallelism) },
    salt: Buffer.from(salt!, 'base64'),
    hash: Buffer.from(hash!, 'base64'),
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '')
}
