/** I18: a server signs what its users send, invitations of its users, and joins that its users vouch for. */
import type { StoredEvent } from '@holdfast/homeserver/rooms/event-store'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { heldRooms } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function onlyOwnSignatures({ servers, society, complain }: World): Promise<void> {
  const rooms = await heldRooms(servers, society.rooms)
  const honest = new Map<string, Set<string>>(servers.map(({ name }) => [name, new Set()]))
  for (const { server, events } of rooms) for (const id of events.keys()) honest.get(server.name)!.add(id)
  for (const { server, events } of rooms) {
    for (const event of events.values()) {
      const { signatures = {} } = JSON.parse(event.json) as { signatures?: Record<string, unknown> }
      for (const signer of Object.keys(signatures)) {
        const known = honest.get(signer)
        if (known === undefined || signer === server.name) continue
        const sender = serverNameOf(event.pdu.sender)
        if (sender === signer) {
          // Memberships are sent to others before they are stored here.
          if (!known.has(event.pdu.eventId) && event.pdu.type !== 'm.room.member')
            complain(
              'only-own-signatures',
              `${signer} does not know its own ${event.pdu.eventId}, which ${server.name} has`,
            )
        } else if (!maySign(event, signer)) complain('only-own-signatures', `${signer} signed ${event.json}`)
      }
    }
  }
}

function maySign({ pdu }: StoredEvent, signer: string): boolean {
  if (pdu.type !== 'm.room.member') return false
  const { membership, join_authorised_via_users_server: voucher } = pdu.content
  if (membership === 'invite') return isOf(pdu.stateKey, signer)
  return membership === 'join' && isOf(voucher, signer)
}

function isOf(userId: unknown, server: string): boolean {
  const parsed = typeof userId === 'string' ? parseUserId(userId) : undefined
  return parsed !== undefined && serverNameOf(parsed) === server
}
