/** A port that stays ours while the server that had it is down. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'

const EPHEMERAL_DEFAULT = 32_768
const FIRST = 20_000
const TRIES_MAX = 200

/**
 * Below the range that the system takes for outgoing connections: a client that keeps connecting to a dead server's port
 * can otherwise be given that very port for its own end, be connected to itself, and keep the server from coming back.
 */
export async function freePort(host: string): Promise<number> {
  const above = firstEphemeralPort()
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const port = FIRST + Math.floor(Math.random() * (above - FIRST))
    if (await canListen(host, port)) return port
  }
  throw new Error(`no free port between ${FIRST} and ${above}`)
}

function firstEphemeralPort(): number {
  try {
    const first = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)[0])
    return first > FIRST + 1000 ? first : EPHEMERAL_DEFAULT
  } catch {
    return EPHEMERAL_DEFAULT // not Linux
  }
}

function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, host, () => server.close(() => resolve(true)))
  })
}
