/** Ids of server keys: algorithm and version, such as `ed25519:a_1`. <https://spec.matrix.org/v1.19/server-server-api/#publishing-keys> */

// A version has letters, digits and underscores only. Nobody enforces that, and to refuse another one's would be to refuse the
// events that other servers of the room accept; what must not pass is what could break out of a header or a log line.
const KEY_ID = /^[A-Za-z0-9_]{1,32}:[!#-+.-[\]-~]{1,128}$/

export function isKeyId(raw: string): boolean {
  return KEY_ID.test(raw)
}
