/** A terminal that remembers what was said, and types what it was told to. */
import type { Terminal } from '../cli/terminal.ts'

export type TestTerminal = Terminal & { readonly printed: string[]; readonly complaints: string[] }

export function aTerminal(
  given: Partial<Pick<Terminal, 'env' | 'cwd' | 'interactive'>> & { readonly typed?: readonly string[] } = {},
): TestTerminal {
  const typed = [...(given.typed ?? [])]
  const printed: string[] = []
  const complaints: string[] = []
  return {
    env: given.env ?? {},
    cwd: given.cwd ?? '/',
    interactive: given.interactive ?? false,
    print: (text) => void printed.push(text),
    complain: (text) => void complaints.push(text),
    askSecret: async () => typed.shift(),
    printed,
    complaints,
  }
}
