/** Seeds that found something, with what it was. They run with every test. */
export const PINNED_SEEDS: readonly { readonly seed: number; readonly found: string }[] = [
  {
    seed: 23,
    found:
      'an event of a told state could not be fetched, and the state was taken without it: what others accept was rejected',
  },
  { seed: 26, found: 'who leaves unheard and is let in again is out for the others once they hear: people join anew' },
]
