/** What Synapse is told: documented options only, so that it does here what it does elsewhere, but sooner. */
import type { Certificate } from './certificates.ts'

export type SynapseSettings = {
  readonly folder: string
  readonly address: string
  readonly tlsPort: number
  readonly clientPort: number
  readonly certificate: Certificate
  readonly caFile: string
  readonly secret: string
}

const UNLIMITED = { per_second: 1_000_000, burst_count: 1_000_000 }
/** A number is in milliseconds. The other server is away for seconds here, not for hours. */
const RETRIES = {
  client_timeout: 20_000,
  max_short_retries: 1,
  max_long_retries: 1,
  max_short_retry_delay: 200,
  max_long_retry_delay: 200,
  destination_min_retry_interval: 500,
  destination_max_retry_interval: 2_000,
  destination_retry_multiplier: 1,
}

export function synapseConfiguration(settings: SynapseSettings): object {
  const { folder, address, tlsPort, clientPort, certificate, caFile, secret } = settings
  return {
    server_name: `${address}:${tlsPort}`,
    public_baseurl: `http://${address}:${clientPort}/`,
    listeners: [
      listener({ address, port: tlsPort, tls: true, names: ['federation'] }),
      listener({ address, port: clientPort, tls: false, names: ['client'] }),
    ],
    tls_certificate_path: certificate.certFile,
    tls_private_key_path: certificate.keyFile,
    federation_custom_ca_list: [caFile],
    ip_range_blacklist: [], // the other server is on 127.0.0.0/8
    trusted_key_servers: [],
    federation: RETRIES,
    database: { name: 'sqlite3', args: { database: `${folder}/homeserver.db` } },
    log_config: `${folder}/log.yaml`,
    media_store_path: `${folder}/media`,
    signing_key_path: `${folder}/signing.key`,
    pid_file: `${folder}/pid`,
    registration_shared_secret: secret,
    bcrypt_rounds: 4,
    report_stats: false,
    presence: { enabled: true },
    allow_public_rooms_over_federation: true,
    room_list_publication_rules: [{ action: 'allow' }],
    ...rateLimitsOff(),
  }
}

/** To its output, which goes to a file. */
export const SYNAPSE_LOGGING = {
  version: 1,
  disable_existing_loggers: false,
  formatters: { line: { format: '%(asctime)s %(levelname)s %(name)s %(request)s %(message)s' } },
  filters: { context: { '()': 'synapse.logging.context.LoggingContextFilter', request: '' } },
  handlers: { console: { class: 'logging.StreamHandler', formatter: 'line', filters: ['context'] } },
  root: { level: 'INFO', handlers: ['console'] },
}

function listener(parts: { address: string; port: number; tls: boolean; names: readonly string[] }): object {
  const { address, port, tls, names } = parts
  return { type: 'http', port, tls, bind_addresses: [address], resources: [{ names }] }
}

function rateLimitsOff(): object {
  return {
    rc_message: UNLIMITED,
    rc_registration: UNLIMITED,
    rc_login: { address: UNLIMITED, account: UNLIMITED, failed_attempts: UNLIMITED },
    rc_joins: { local: UNLIMITED, remote: UNLIMITED },
    rc_joins_per_room: UNLIMITED,
    rc_room_creation: UNLIMITED,
    rc_invites: { per_room: UNLIMITED, per_user: UNLIMITED, per_issuer: UNLIMITED },
    rc_presence: { per_user: UNLIMITED },
    rc_key_requests: UNLIMITED,
    rc_federation: { window_size: 1000, sleep_limit: 100_000, sleep_delay: 1, reject_limit: 100_000, concurrent: 100 },
    federation_rr_transactions_per_room_per_second: 1_000_000,
  }
}
