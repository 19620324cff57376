-- The identity service: its keys, who uses it, who has which address, and what waits to be sent.

-- The name that it signs under, one row.
CREATE TABLE identity_server (
  only_row BIGINT NOT NULL PRIMARY KEY CHECK (only_row = 1),
  server_name {{text}} NOT NULL
);

-- Long-term keys. The one that is not retired is in use; a retired one still counts, for invitations of its time, until it
-- is revoked.
CREATE TABLE signing_keys (
  key_id {{text}} NOT NULL PRIMARY KEY,
  public_key {{text}} NOT NULL UNIQUE,
  seed {{bytes}} NOT NULL,
  created_ms BIGINT NOT NULL,
  retired_ms BIGINT,
  revoked_ms BIGINT
);

-- Tokens are stored as SHA-256 only.
CREATE TABLE account_tokens (
  token_hash {{bytes}} NOT NULL PRIMARY KEY,
  user_id {{text}} NOT NULL,
  created_ms BIGINT NOT NULL,
  -- within a day
  used_ms BIGINT NOT NULL
) {{without_rowid}};
CREATE INDEX account_tokens_by_use ON account_tokens (used_ms);

CREATE TABLE accepted_terms (
  user_id {{text}} NOT NULL,
  url {{text}} NOT NULL,
  accepted_ms BIGINT NOT NULL,
  PRIMARY KEY (user_id, url)
) {{without_rowid}};

-- An address belongs to one user at most; a user may have many.
CREATE TABLE associations (
  medium {{text}} NOT NULL,
  -- canonical
  address {{text}} NOT NULL,
  user_id {{text}} NOT NULL,
  bound_ms BIGINT NOT NULL,
  not_after_ms BIGINT NOT NULL,
  PRIMARY KEY (medium, address)
) {{without_rowid}};

-- NULL in replaced_ms: the one that clients are told, or (is_complete = 0) the one that is being prepared.
CREATE TABLE peppers (
  pepper_nid {{id}},
  pepper {{text}} NOT NULL UNIQUE,
  created_ms BIGINT NOT NULL,
  is_complete BIGINT NOT NULL,
  replaced_ms BIGINT
);

-- For each pepper that counts, the hash of each association.
CREATE TABLE lookup_hashes (
  pepper_nid BIGINT NOT NULL,
  hash {{text}} NOT NULL,
  medium {{text}} NOT NULL,
  address {{text}} NOT NULL,
  PRIMARY KEY (pepper_nid, hash)
) {{without_rowid}};
CREATE INDEX lookup_hashes_by_address ON lookup_hashes (medium, address);

-- Invitations of addresses that nobody has bound. The key is listed as valid as long as the row is here.
CREATE TABLE invites (
  token {{text}} NOT NULL PRIMARY KEY,
  medium {{text}} NOT NULL,
  -- canonical
  address {{text}} NOT NULL,
  room_id {{text}} NOT NULL,
  sender {{text}} NOT NULL,
  -- the long-term key that the room was told of
  key_id {{text}} NOT NULL,
  ephemeral_public_key {{text}} NOT NULL UNIQUE,
  created_ms BIGINT NOT NULL,
  -- for whom it was signed with the ephemeral key, and when first
  signed_user_id {{text}},
  signed_ms BIGINT
) {{without_rowid}};
CREATE INDEX invites_by_address ON invites (medium, address, created_ms);
CREATE INDEX invites_by_time ON invites (created_ms);

-- What is to be sent. A row is taken by moving due_ms on, and removed once it is done.
CREATE TABLE jobs (
  job_id {{text}} NOT NULL PRIMARY KEY,
  kind {{text}} NOT NULL,
  -- medium and address that it is about
  medium {{text}} NOT NULL,
  address {{text}} NOT NULL,
  -- JSON
  content {{text}} NOT NULL,
  created_ms BIGINT NOT NULL,
  due_ms BIGINT NOT NULL,
  attempts BIGINT NOT NULL,
  last_error {{text}}
) {{without_rowid}};
CREATE INDEX jobs_by_due ON jobs (due_ms);
CREATE INDEX jobs_by_address ON jobs (medium, address);

-- Proofs of e-mail addresses and phone numbers under way. A session lives for a day after its last change.
CREATE TABLE validation_sessions (
  sid {{text}} NOT NULL PRIMARY KEY,
  medium {{text}} NOT NULL,
  -- canonical
  address {{text}} NOT NULL,
  client_secret {{text}} NOT NULL,
  -- what the proof is for: it counts for nothing else
  purpose {{text}} NOT NULL,
  -- the address exactly as it was given
  send_to {{text}} NOT NULL,
  -- allow-listed
  next_link {{text}},
  -- SHA-256 of the token that was made last, and of the one before it where that one still counts
  token_hash {{bytes}} NOT NULL,
  earlier_token_hash {{bytes}},
  -- the highest attempt whose mail or message was handed over
  sent_attempt BIGINT NOT NULL,
  tries BIGINT NOT NULL,
  modified_ms BIGINT NOT NULL,
  validated_ms BIGINT,
  UNIQUE (medium, address, client_secret, purpose)
) {{without_rowid}};
CREATE INDEX validation_sessions_by_time ON validation_sessions (modified_ms);
