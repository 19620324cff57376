/** Event nids packed as bytes: the edges of an event and the extremities of a room. */

/** Numbers as little-endian base-128, each as the difference to the one before (zigzag), so near ids take a byte or two. */
export function packNids(nids: readonly number[]): Uint8Array {
  const bytes: number[] = []
  let previous = 0
  for (const nid of nids) {
    const difference = nid - previous
    let rest = difference >= 0 ? difference * 2 : -difference * 2 - 1
    while (rest >= 128) {
      bytes.push((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    bytes.push(rest)
    previous = nid
  }
  return Uint8Array.from(bytes)
}

export function unpackNids(bytes: Uint8Array): readonly number[] {
  const nids: number[] = []
  let previous = 0
  let value = 0
  let scale = 1
  for (const byte of bytes) {
    value += (byte & 127) * scale
    if (byte >= 128) {
      scale *= 128
      continue
    }
    previous += value % 2 === 0 ? value / 2 : -(value + 1) / 2
    nids.push(previous)
    value = 0
    scale = 1
  }
  return nids
}

/** An event's edges in one column: prev_events, a 0, auth_events. */
export function packEdges(edges: { readonly prev: readonly number[]; readonly auth: readonly number[] }): Uint8Array {
  return packNids([...edges.prev, 0, ...edges.auth])
}

export function unpackEdges(bytes: Uint8Array): { readonly prev: readonly number[]; readonly auth: readonly number[] } {
  const nids = unpackNids(bytes)
  const separator = nids.indexOf(0)
  return { prev: nids.slice(0, separator), auth: nids.slice(separator + 1) }
}
