-- Keys for end-to-end encryption: of devices, of users, and who has to be told that they changed.

-- Keys and signatures are kept as canonical JSON.
CREATE TABLE device_keys (
  device_nid {{id}},
  keys {{text}} NOT NULL
);

-- Of a key that was claimed the row stays for a while, so that a repeated upload does not bring it back.
CREATE TABLE one_time_keys (
  device_nid BIGINT NOT NULL,
  algorithm {{text}} NOT NULL,
  key_id {{text}} NOT NULL,
  -- counts the uploads of the device: keys are given out in this order
  upload BIGINT NOT NULL,
  one_time_key {{text}} NOT NULL,
  is_claimed BIGINT NOT NULL,
  PRIMARY KEY (device_nid, algorithm, key_id)
) {{without_rowid}};
CREATE INDEX one_time_keys_by_upload ON one_time_keys (device_nid, algorithm, is_claimed, upload);

CREATE TABLE fallback_keys (
  device_nid BIGINT NOT NULL,
  algorithm {{text}} NOT NULL,
  key_id {{text}} NOT NULL,
  fallback_key {{text}} NOT NULL,
  is_used BIGINT NOT NULL,
  PRIMARY KEY (device_nid, algorithm)
) {{without_rowid}};

-- Of local users and, as their servers told, of remote ones. key_usage: see storage/cross-signing-keys.ts USAGE_CODES.
CREATE TABLE cross_signing_keys (
  user_nid BIGINT NOT NULL,
  key_usage BIGINT NOT NULL,
  -- the public key in unpadded base64
  public_key {{text}} NOT NULL,
  keys {{text}} NOT NULL,
  PRIMARY KEY (user_nid, key_usage)
) {{without_rowid}};

-- Signatures that local users added to keys after those were uploaded. target is a device id or a public key.
CREATE TABLE key_signatures (
  user_nid BIGINT NOT NULL,
  target {{text}} NOT NULL,
  signer_nid BIGINT NOT NULL,
  -- such as ed25519:DEVICE
  key_id {{text}} NOT NULL,
  signature {{text}} NOT NULL,
  PRIMARY KEY (user_nid, target, signer_nid, key_id)
) {{without_rowid}};
CREATE INDEX key_signatures_by_signer ON key_signatures (signer_nid);

-- When the devices or keys of a user changed last, for those who share a room. One row for each user who has any.
CREATE TABLE device_list_changes (
  user_nid {{id}},
  position BIGINT NOT NULL
);
CREATE INDEX device_list_changes_by_position ON device_list_changes (position);

-- The same where only one user sees the change: their user-signing key, and what it signs.
CREATE TABLE private_key_changes (
  reader_nid BIGINT NOT NULL,
  user_nid BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (reader_nid, user_nid)
) {{without_rowid}};

-- Changes of local users in the order in which other servers are told. Of each user only the newest are kept.
CREATE TABLE device_list_updates (
  position {{id}},
  user_nid BIGINT NOT NULL,
  -- NULL: the cross-signing keys changed
  device_id {{text}},
  -- position of the update of a device before this one
  previous BIGINT
);
CREATE INDEX device_list_updates_by_user ON device_list_updates (user_nid, position);

-- What other servers told of their users' devices.
CREATE TABLE remote_device_lists (
  user_nid {{id}},
  stream_id BIGINT NOT NULL,
  -- 1: a change was missed, the list has to be fetched again
  is_stale BIGINT NOT NULL,
  -- newest position of ours when it was fetched or brought up to date
  position BIGINT NOT NULL
);

CREATE TABLE remote_devices (
  user_nid BIGINT NOT NULL,
  device_id {{text}} NOT NULL,
  -- NULL: the device has none
  keys {{text}},
  display_name {{text}},
  PRIMARY KEY (user_nid, device_id)
) {{without_rowid}};
