/** packages/protocol decides and never waits: no async function, no promise. */
import { type Finding, type Repository, packageOf } from '../repository.ts'

const ASYNC = new Set(['async', 'await', 'Promise'])

export function checkPurity(repository: Repository): Finding[] {
  return repository.sources
    .filter((file) => packageOf(file.path) === 'protocol' && !file.isTest)
    .flatMap((file) =>
      file.tokens
        .filter(
          (token, index) => token.kind === 'word' && ASYNC.has(token.text) && file.tokens[index - 1]?.text !== '.',
        )
        .map((token) => ({
          path: file.path,
          line: token.line,
          rule: 'purity',
          message: `"${token.text}" is banned in protocol: it is pure and synchronous; say what is lacking and let the caller fetch it`,
        })),
    )
}
