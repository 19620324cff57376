/** Sessions: a device with the tokens that act for it. */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import type { DeviceId, UserId } from '@holdfast/protocol/ids/brand'
import { parseDeviceId } from '@holdfast/protocol/ids/opaque'
import { cutDisplayName } from '../devices/display-name.ts'
import { announceDevices } from '../e2e-keys/device-lists.ts'
import type { Homeserver } from '../homeserver.ts'
import * as devices from '../storage/devices.ts'
import * as tokens from '../storage/tokens.ts'
import { newToken, tokenHash } from './token.ts'

export type SessionDeps = Pick<Homeserver, 'db' | 'clock' | 'random' | 'accounts' | 'streams' | 'e2eKeys'>

export type SessionRequest = {
  readonly userId: UserId
  readonly userNid: number
  /** A device the user has already is used again: its old tokens end. */
  readonly deviceId?: DeviceId | undefined
  readonly initialDisplayName?: string | undefined
  /** Whether the client can refresh its access token; then it expires. */
  readonly refreshable: boolean
}

export type Session = {
  readonly deviceId: DeviceId
  readonly accessToken: string
  readonly refreshToken?: string
  readonly expiresInMs?: number
}

/** How long an access token of a client that refreshes lives. */
export const ACCESS_TOKEN_MS = 3_600_000

/** The characters of generated device ids, as long as those that clients have always shown. */
const DEVICE_ID_ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const DEVICE_ID_CHARACTERS = 10

const ATTEMPTS_MAX = 5

/**
 * Opens a session, in one commit with `before`: what has to hold, or be changed, for it. The commit is tried again when
 * another login made or removed the same device meanwhile.
 * @throws {ExpectationFailed} of a statement of `before`
 */
export async function openSession(
  deps: SessionDeps,
  request: SessionRequest,
  before: readonly Statement[] = [],
): Promise<Session> {
  for (let attempt = 1; ; attempt += 1) {
    const draft = await draftSession(deps, request)
    try {
      await commitSession(deps, request, draft, before)
      deps.accounts.requesters.forgetDevices([draft.deviceNid])
      return draft.session
    } catch (error) {
      const again = error instanceof ExpectationFailed && error.index >= before.length && attempt < ATTEMPTS_MAX
      if (!again) throw error
    }
  }
}

/** A device that is new is told to those who share a room with its user. */
async function commitSession(
  deps: SessionDeps,
  { userNid }: SessionRequest,
  draft: SessionDraft,
  before: readonly Statement[],
): Promise<void> {
  const statements = [...before, ...draft.statements]
  if (!draft.isNewDevice) {
    await deps.db.commit(statements)
    return
  }
  const announcement = announceDevices(deps, { userNid, deviceIds: [draft.session.deviceId] })
  await deps.streams.commit([...statements, ...announcement.statements], announcement)
}

type SessionDraft = {
  readonly session: Session
  readonly deviceNid: number
  readonly isNewDevice: boolean
  readonly statements: readonly Statement[]
}

async function draftSession(deps: SessionDeps, request: SessionRequest): Promise<SessionDraft> {
  const { deviceId, deviceNid, isNewDevice, statements } = await draftDevice(deps, request)
  const secrets = newSecrets(deps, request.refreshable)
  const owner = { userNid: request.userNid, deviceNid, generation: 1 }
  return {
    session: { deviceId, ...secrets },
    deviceNid,
    isNewDevice,
    statements: [...statements, ...tokenStatements(deps, owner, { ...secrets, isConfirmed: 1 })],
  }
}

async function draftDevice(
  deps: SessionDeps,
  request: SessionRequest,
): Promise<{
  readonly deviceId: DeviceId
  readonly deviceNid: number
  readonly isNewDevice: boolean
  readonly statements: readonly Statement[]
}> {
  const { userNid } = request
  const deviceId = request.deviceId ?? parseDeviceId(deps.random.text(DEVICE_ID_CHARACTERS, DEVICE_ID_ALPHABET))!
  const existing = await devices.deviceOf(deps.db, { userNid, deviceId })
  if (existing !== undefined) {
    const deviceNid = existing.device_nid
    // The client set the device id: tokens that the device had end. <https://spec.matrix.org/v1.19/client-server-api/#relationship-between-access-tokens-and-devices>
    const endOld = [tokens.deleteAccessTokens([deviceNid]), tokens.deleteRefreshTokens([deviceNid])]
    return { deviceId, deviceNid, isNewDevice: false, statements: [devices.requireDevice(deviceNid), ...endOld] }
  }
  const [deviceNid] = await deps.accounts.deviceNids.take(1)
  const name = request.initialDisplayName === undefined ? undefined : cutDisplayName(request.initialDisplayName)
  const insert = devices.insertDevice({
    deviceNid: deviceNid!,
    userNid,
    deviceId,
    displayName: name,
    createdMs: deps.clock.nowMs(),
  })
  return { deviceId, deviceNid: deviceNid!, isNewDevice: true, statements: [insert] }
}

export type Secrets = Omit<Session, 'deviceId'>

export function newSecrets(deps: Pick<SessionDeps, 'random'>, refreshable: boolean): Secrets {
  const accessToken = newToken(deps.random, 'access')
  if (!refreshable) return { accessToken }
  return { accessToken, refreshToken: newToken(deps.random, 'refresh'), expiresInMs: ACCESS_TOKEN_MS }
}

export function tokenStatements(
  deps: Pick<SessionDeps, 'clock'>,
  owner: { readonly userNid: number; readonly deviceNid: number; readonly generation: number },
  secrets: Secrets & { readonly isConfirmed: 0 | 1 },
): readonly Statement[] {
  const { accessToken, refreshToken, expiresInMs, isConfirmed } = secrets
  const expiresMs = expiresInMs === undefined ? undefined : deps.clock.nowMs() + expiresInMs
  const access = tokens.insertAccessToken({ ...owner, hash: tokenHash(accessToken, 'access')!, isConfirmed, expiresMs })
  if (refreshToken === undefined) return [access]
  return [access, tokens.insertRefreshToken({ ...owner, hash: tokenHash(refreshToken, 'refresh')! })]
}
