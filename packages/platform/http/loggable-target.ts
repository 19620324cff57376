/** What of a request target may be written to a log. */

/** Query parameters whose values say nothing secret. All other values are left out: `access_token`, `sid`, `token` ... */
const PUBLIC_PARAMETERS = new Set([
  'dir',
  'from',
  'full_state',
  'kind',
  'limit',
  'not_membership',
  'membership',
  'since',
  'set_presence',
  'timeout',
  'to',
  'ts',
  'v',
  'ver',
  'width',
  'height',
  'method',
  'server',
  'server_name',
  'via',
  'use_state_after',
  'room_id',
  'minimum_valid_until_ts',
])

const LENGTH_MAX = 400

export function loggableTarget(path: string, query: string): string {
  const whole = query === '' ? path : `${path}?${query.split('&').map(loggableParameter).join('&')}`
  return whole.length > LENGTH_MAX ? `${whole.slice(0, LENGTH_MAX)}...` : whole
}

function loggableParameter(parameter: string): string {
  const equals = parameter.indexOf('=')
  if (equals === -1) return '-'
  const name = parameter.slice(0, equals)
  return PUBLIC_PARAMETERS.has(name) ? parameter : `${/^\w{1,30}$/.test(name) ? name : ''}=-`
}
