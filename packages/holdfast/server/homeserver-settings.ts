/** What the homeserver needs to know of the configuration. */
import type { HomeserverSettings } from '@holdfast/homeserver/settings'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Config } from '@holdfast/platform/config/keys'

export function homeserverSettings(config: Config): HomeserverSettings {
  return {
    publicBaseUrl: config.publicUrl,
    federationAddress: config.federationAddress,
    registration: config.registration,
    registrationSharedSecret: config.registrationSharedSecret?.reveal(),
    guests: config.guests ?? config.registration === 'open',
    presence: config.presence,
    deviceNamesToServers: config.deviceNamesToServers,
    defaultRoomVersion: config.defaultRoomVersion,
    policyServer: config.policyServer ? { lists: config.policyLists as readonly RoomId[] } : undefined,
    terms: termsOf(config),
    rateLimits: config.rateLimits,
  }
}

function termsOf({ termsUrl: url, termsName: name, termsVersion: version }: Config): HomeserverSettings['terms'] {
  return url === undefined ? [] : [{ id: 'terms', version, translations: { en: { name, url } } }]
}
