/** Looks for keys: in what is known, at their servers, and at notaries. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { askNotaries, type AskNotariesDeps } from './ask-notaries.ts'
import { openServerAsker, type Asker } from './ask-servers.ts'
import type { KnownServer } from './known-server.ts'
import { unmet, type WantedServers } from './wanted.ts'

export type SearchOptions = { readonly asker: Asker; readonly notaries: boolean }

export type KeySearch = {
  /** What is known of the servers after everything was tried that is worth trying now. */
  search(wanted: WantedServers, options: SearchOptions): Promise<ReadonlyMap<ServerName, KnownServer>>
}

export function openKeySearch(deps: Omit<AskNotariesDeps, 'servers'>): KeySearch {
  const { store } = deps
  const servers = openServerAsker(deps)

  /** @returns those that were asked in vain just now */
  async function askServers(wanted: WantedServers, asker: Asker): Promise<WantedServers> {
    const asked = await Promise.all(
      [...wanted].map(async ([server, one]) => ((await servers.ask(server, one, asker)) ? [server] : [])),
    )
    const tried = new Set(asked.flat())
    return unmet(store, new Map([...wanted].filter(([server]) => tried.has(server))))
  }

  return {
    search: async (wanted, { asker, notaries }) => {
      const missing = await unmet(store, wanted)
      const inVain = missing.size === 0 ? missing : await askServers(missing, asker)
      // Only for what was tried just now, so that notaries are asked no oftener than servers.
      if (notaries && inVain.size > 0) await askNotaries({ ...deps, servers }, inVain)
      return store.load([...wanted.keys()])
    },
  }
}
