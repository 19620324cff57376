/** What a command is given by the shell. */
import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { processEnvironment } from '@holdfast/platform/config/environment'

export type Terminal = {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  print(text: string): void
  complain(text: string): void
  /** Asks without showing what is typed; without a terminal, the next line of the input. Undefined at its end. */
  askSecret(question: string): Promise<string | undefined>
  readonly interactive: boolean
}

export function processTerminal(): Terminal & Disposable {
  const interactive = process.stdin.isTTY
  // Opened at the first question: reading would keep the process alive.
  let lines: { next(): Promise<string | undefined>; close(): void } | undefined
  return {
    env: processEnvironment(),
    cwd: process.cwd(),
    print: (text) => void process.stdout.write(`${text}\n`),
    complain: (text) => void process.stderr.write(`${text}\n`),
    askSecret: (question) => {
      if (interactive) process.stderr.write(question)
      lines ??= openLines(interactive)
      return lines.next()
    },
    interactive,
    [Symbol.dispose]: () => lines?.close(),
  }
}

function openLines(interactive: boolean): { next(): Promise<string | undefined>; close(): void } {
  // The terminal echoes through the interface's output, so an output that drops everything hides what is typed.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const reading = createInterface({ input: process.stdin, output: silent, terminal: interactive })
  const iterator = reading[Symbol.asyncIterator]()
  return {
    next: async () => {
      const { value, done } = await iterator.next()
      if (interactive) process.stderr.write('\n')
      return done === true ? undefined : value
    },
    close: () => reading.close(),
  }
}
