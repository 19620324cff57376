/** Sizes of what devices upload, beside the limits of the protocol. */
export const E2E_LIMITS = {
  /** The identity keys of one device, as canonical JSON. */
  deviceKeysBytesMax: 16_384,
  deviceAlgorithmsMax: 50,
  deviceKeysMax: 50,
  /** One one-time key or fallback key, as canonical JSON. */
  oneTimeKeyBytesMax: 4_096,
  /** Algorithms with keys of one device. */
  keyAlgorithmsMax: 20,
  keyNameCharactersMax: 255,
  /** Devices in one claim. */
  claimedDevicesMax: 5_000,
  crossSigningKeyBytesMax: 16_384,
  /** Keys in one upload of signatures. */
  signedKeysMax: 1_000,
  /** Claimed keys are remembered for so many uploads of the device: one that is repeated does not bring them back. */
  uploadsRemembered: 20,
  /** Updates of one user that other servers can still be told of one by one. */
  updatesKept: 100,
  remoteListBytesMax: 1_048_576,
  remoteDevicesMax: 1_000,
} as const
