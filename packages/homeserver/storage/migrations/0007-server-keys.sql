-- Our own signing keys, the one in use and those before it, and the public keys of other servers.

CREATE TABLE signing_keys (
  key_id {{text}} PRIMARY KEY,
  seed {{bytes}} NOT NULL,
  created_ms BIGINT NOT NULL,
  -- when the next one took its place; NULL: it is in use
  expired_ms BIGINT
) {{without_rowid}};
INSERT INTO signing_keys (key_id, seed, created_ms, expired_ms) SELECT key_id, seed, 0, NULL FROM server_identity;
ALTER TABLE server_identity DROP COLUMN key_id;
ALTER TABLE server_identity DROP COLUMN seed;

-- The key that this server signs with as a policy server.
CREATE TABLE policy_server_key (
  only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
  seed {{bytes}} NOT NULL,
  created_ms BIGINT NOT NULL
);

-- The newest word of each server about its keys, as it was signed: what a notary passes on.
CREATE TABLE server_key_responses (
  server_name {{text}} PRIMARY KEY,
  response {{text}} NOT NULL,
  -- as the server says it
  valid_until_ms BIGINT NOT NULL,
  fetched_ms BIGINT NOT NULL,
  -- 1: from the server itself, 0: from a notary
  is_direct BIGINT NOT NULL
) {{without_rowid}};
CREATE INDEX server_key_responses_by_age ON server_key_responses (fetched_ms);

-- Every key that a server was ever seen with: old events are verified with keys that are not published any more.
CREATE TABLE server_verify_keys (
  server_name {{text}} NOT NULL,
  key_id {{text}} NOT NULL,
  -- unpadded base64
  public_key {{text}} NOT NULL,
  -- until when it may be used, which is seven days after it was fetched at most
  valid_until_ms BIGINT NOT NULL,
  -- when the server gave it up; NULL: it has not said so
  expired_ms BIGINT,
  is_direct BIGINT NOT NULL,
  PRIMARY KEY (server_name, key_id)
) {{without_rowid}};
