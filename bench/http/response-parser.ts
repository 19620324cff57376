/** An incremental HTTP/1.1 response parser: chunks of a socket in, whole responses out. */

export type ParsedResponse = {
  readonly status: number
  readonly body: Buffer
  /** False when the server closes the connection after this response. */
  readonly keepAlive: boolean
}

export class HttpSyntaxError extends Error {}

const LIMITS = { headBytesMax: 64 * 1024, bodyBytesMax: 1024 * 1024 * 1024 }
const HEAD_END = Buffer.from('\r\n\r\n')
const EMPTY = Buffer.alloc(0)

type Framing = { kind: 'length'; bytes: number } | { kind: 'chunked' } | { kind: 'until-close' }
type Head = { status: number; framing: Framing; keepAlive: boolean; bytes: number }

export class ResponseParser {
  #chunks: Buffer[] = []
  #bytes = 0
  /** The head of the response under way, so that a long body does not parse it again with every chunk. */
  #head: Head | undefined
  #chunked: ChunkedBody | undefined

  /** True when no byte of an unfinished response is held. */
  get idle(): boolean {
    return this.#bytes === 0 && this.#head === undefined
  }

  /** Takes the next bytes; answers the response that they complete. At most one request is ever in flight. */
  push(chunk: Buffer): ParsedResponse | undefined {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#head === undefined && !this.#takeHead()) return undefined
    return this.#takeBody(this.#head!)
  }

  /** The server closed the connection: completes a body that only the end delimits. */
  end(): ParsedResponse | undefined {
    if (this.#head?.framing.kind !== 'until-close') return undefined
    return this.#finish(this.#head, this.#takeAll())
  }

  #takeHead(): boolean {
    const data = this.#joined()
    const end = data.indexOf(HEAD_END)
    if (end === -1) {
      if (data.length > LIMITS.headBytesMax) throw new HttpSyntaxError('the response head is too long')
      return false
    }
    const head = parseHead(data.toString('latin1', 0, end), end + HEAD_END.length)
    this.#replace(data.subarray(head.bytes))
    // 1xx responses announce the real one, which follows on the same connection.
    if (head.status < 200) return this.#bytes > 0 && this.#takeHead()
    this.#head = head
    return true
  }

  #takeBody(head: Head): ParsedResponse | undefined {
    if (this.#bytes > LIMITS.bodyBytesMax) throw new HttpSyntaxError('the response body is too long')
    switch (head.framing.kind) {
      case 'length': {
        if (this.#bytes < head.framing.bytes) return undefined
        if (this.#bytes > head.framing.bytes) throw new HttpSyntaxError('bytes after the end of the response')
        return this.#finish(head, this.#takeAll())
      }
      case 'chunked': {
        this.#chunked ??= new ChunkedBody()
        const body = this.#chunked.push(this.#takeAll())
        return body === undefined ? undefined : this.#finish(head, body)
      }
      case 'until-close':
        return undefined
      default:
        return framingUnknown(head.framing)
    }
  }

  #finish(head: Head, body: Buffer): ParsedResponse {
    this.#head = undefined
    this.#chunked = undefined
    return { status: head.status, body, keepAlive: head.keepAlive && head.framing.kind !== 'until-close' }
  }

  #joined(): Buffer {
    if (this.#chunks.length !== 1) this.#chunks = [Buffer.concat(this.#chunks, this.#bytes)]
    return this.#chunks[0]!
  }

  #takeAll(): Buffer {
    const data = this.#bytes === 0 ? EMPTY : this.#joined()
    this.#replace(EMPTY)
    return data
  }

  #replace(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest]
    this.#bytes = rest.length
  }
}

function framingUnknown(framing: never): never {
  throw new Error(`unknown framing ${String(framing)}`)
}

function parseHead(text: string, bytes: number): Head {
  const status = /^HTTP\/1\.([01]) (\d{3})(?: |\r|$)/.exec(text)
  if (status === null) throw new HttpSyntaxError(`not an HTTP/1.1 status line: ${text.slice(0, 80)}`)
  const code = Number(status[2])
  const connection = headerOf(text, 'connection')?.toLowerCase()
  const keepAlive = status[1] === '1' ? connection !== 'close' : connection === 'keep-alive'
  return { status: code, framing: framingOf(code, text), keepAlive, bytes }
}

function framingOf(status: number, head: string): Framing {
  if (status < 200 || status === 204 || status === 304) return { kind: 'length', bytes: 0 }
  const encoding = headerOf(head, 'transfer-encoding')
  if (encoding !== undefined) {
    if (encoding.toLowerCase() !== 'chunked') throw new HttpSyntaxError(`unknown transfer encoding ${encoding}`)
    return { kind: 'chunked' }
  }
  const length = headerOf(head, 'content-length')
  if (length === undefined) return { kind: 'until-close' }
  if (!/^\d{1,15}$/.test(length)) throw new HttpSyntaxError(`bad content-length ${length}`)
  return { kind: 'length', bytes: Number(length) }
}

const PATTERNS = new Map(
  ['connection', 'content-length', 'transfer-encoding'].map((name) => [
    name,
    new RegExp(String.raw`\r\n${name}:[ \t]*([^\r\n]*?)[ \t]*(?:\r\n|$)`, 'i'),
  ]),
)

function headerOf(head: string, name: string): string | undefined {
  return PATTERNS.get(name)!.exec(head)?.[1]
}

/** Body in `chunk-size CRLF data CRLF` pieces, ended by a piece of size 0 and optional trailers. */
class ChunkedBody {
  #rest: Buffer = EMPTY
  /** Received after `#rest`, joined with it only when the piece under way can be complete. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #neededBytes = 0
  #pieces: Buffer[] = []
  /** The zero-size piece was seen; what follows are trailers up to an empty line. */
  #inTrailers = false

  push(data: Buffer): Buffer | undefined {
    this.#waiting.push(data)
    this.#waitingBytes += data.length
    if (this.#rest.length + this.#waitingBytes < this.#neededBytes) return undefined
    this.#rest =
      this.#rest.length === 0 && this.#waiting.length === 1 ? data : Buffer.concat([this.#rest, ...this.#waiting])
    this.#waiting = []
    this.#waitingBytes = 0
    this.#neededBytes = 0
    while (!this.#inTrailers && this.#takePiece()) {
      // Takes every complete piece.
    }
    return this.#inTrailers && this.#takeTrailers() ? Buffer.concat(this.#pieces) : undefined
  }

  #takePiece(): boolean {
    const lineEnd = this.#rest.indexOf('\r\n')
    if (lineEnd === -1) return false
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;|$)/.exec(this.#rest.toString('latin1', 0, lineEnd))
    if (size === null) throw new HttpSyntaxError('bad chunk size')
    const bytes = Number.parseInt(size[1]!, 16)
    const start = lineEnd + 2
    if (bytes === 0) {
      this.#inTrailers = true
      this.#rest = this.#rest.subarray(start)
      return false
    }
    if (this.#rest.length < start + bytes + 2) {
      this.#neededBytes = start + bytes + 2
      return false
    }
    if (this.#rest.toString('latin1', start + bytes, start + bytes + 2) !== '\r\n') {
      throw new HttpSyntaxError('a chunk does not end where its size says')
    }
    this.#pieces.push(this.#rest.subarray(start, start + bytes))
    this.#rest = this.#rest.subarray(start + bytes + 2)
    return true
  }

  #takeTrailers(): boolean {
    for (;;) {
      const lineEnd = this.#rest.indexOf('\r\n')
      if (lineEnd === -1) return false
      this.#rest = this.#rest.subarray(lineEnd + 2)
      if (lineEnd > 0) continue
      if (this.#rest.length > 0) throw new HttpSyntaxError('bytes after the end of the response')
      return true
    }
  }
}
