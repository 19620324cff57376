/** What every blob store promises. */

/** Thrown for a key that is not made of safe characters: a mistake of the caller, not of a user. */
export class BadBlobKey extends Error {
  constructor() {
    super('a blob key is 3 to 128 characters of A-Z a-z 0-9 _ -')
    this.name = 'BadBlobKey'
  }
}

/** More bytes came than the caller allows. Nothing was kept. */
export class BlobTooLarge extends Error {
  readonly bytesMax: number
  constructor(bytesMax: number) {
    super(`the blob is larger than ${bytesMax} bytes`)
    this.name = 'BlobTooLarge'
    this.bytesMax = bytesMax
  }
}

export type StoredBlob = { readonly bytes: number; readonly sha256: Uint8Array }

export type BlobBody = Uint8Array | AsyncIterable<Uint8Array>

export type BlobStore = {
  /**
   * Resolves when the bytes are on disk under this key, in place of any earlier ones. If it fails, nothing changed.
   * @throws {BlobTooLarge}
   */
  put(
    key: string,
    body: BlobBody,
    options?: { readonly bytesMax?: number; readonly signal?: AbortSignal },
  ): Promise<StoredBlob>
  /** Undefined when there is none. `end` is exclusive. */
  get(key: string, range?: { readonly start: number; readonly end: number }): Promise<Uint8Array | undefined>
  /** For blobs that are too large to hold. Undefined when there is none. */
  stream(key: string): Promise<AsyncIterable<Uint8Array> | undefined>
  /** In bytes; undefined when there is none. */
  size(key: string): Promise<number | undefined>
  /** False when there was none. */
  delete(key: string): Promise<boolean>
  [Symbol.asyncDispose](): Promise<void>
}
