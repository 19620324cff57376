/** A resolver in the form in which sockets take one. */
import type { LookupFunction } from 'node:net'
import type { Resolver } from './resolver.ts'

export function lookupFunction(resolver: Pick<Resolver, 'lookupAddresses'>): LookupFunction {
  return (hostname, options, tell) => {
    const wanted = options.family === 4 || options.family === 6 ? options.family : undefined
    resolver.lookupAddresses(hostname).then(
      (found) => {
        const fitting = wanted === undefined ? found : found.filter(({ family }) => family === wanted)
        const [first] = fitting
        if (first === undefined) tell(notFound(hostname), [])
        else if (options.all === true) tell(null, [...fitting])
        else tell(null, first.address, first.family)
      },
      (error: NodeJS.ErrnoException) => tell(error, []),
    )
  }
}

function notFound(hostname: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
}
