/** The large room on disk, so that it is made once. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LargeRoom, type RoomSize, type SignedEvent } from './large-room.ts'

export type KeptRoom = {
  readonly serverName: string
  readonly version: string
  readonly roomId: string
  readonly tip: string
  readonly depth: number
  readonly joinAuthEvents: readonly string[]
  /** What a message of the creator cites, and the creator. */
  readonly speaker: { readonly userId: string; readonly authEvents: readonly string[] }
  readonly state: readonly SignedEvent[]
  readonly authChain: readonly string[]
}

/** Changes with how rooms are made. */
const FORMAT = 2

export function keptRoom(serverName: string, size: RoomSize): KeptRoom {
  const folder = join(tmpdir(), 'holdfast-federation-load')
  const name = `${FORMAT}-${serverName}-v${size.version}-${size.members}-${size.stateEvents}.json`
  const file = join(folder, name.replaceAll(':', '_'))
  if (!existsSync(file)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${file}.new`, JSON.stringify(makeRoom(serverName, size)))
    renameSync(`${file}.new`, file)
  }
  return JSON.parse(readFileSync(file, 'utf8')) as KeptRoom
}

function makeRoom(serverName: string, size: RoomSize): KeptRoom {
  const room = new LargeRoom(serverName, size.version)
  room.fill(size)
  const { creator } = room
  const create = room.rules.roomIdIsCreateHash ? [] : ['m.room.create ']
  return {
    serverName,
    version: size.version,
    roomId: room.roomId!,
    tip: room.tip,
    depth: room.state.length,
    joinAuthEvents: room.joinAuthEvents(),
    speaker: {
      userId: creator,
      authEvents: room.authIds([...create, 'm.room.power_levels ', `m.room.member ${creator}`]),
    },
    state: room.state,
    authChain: [...room.authChain],
  }
}
