-- Accounts of this server, their devices, tokens and profiles. Tokens are stored as SHA-256 only.

CREATE TABLE accounts (
  user_nid {{id}},
  -- the localpart in lower case: no two accounts may differ by case alone, whatever grammar they were made under
  folded_name {{text}} NOT NULL UNIQUE,
  -- argon2id; NULL: nobody can log in with a password
  password_hash {{text}},
  -- see storage/accounts.ts ACCOUNT_KINDS
  kind BIGINT NOT NULL,
  is_admin BIGINT NOT NULL,
  is_locked BIGINT NOT NULL,
  is_suspended BIGINT NOT NULL,
  -- whether the user asked to be erased as far as possible
  is_erased BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  deactivated_ms BIGINT,
  -- 1 from the deactivation until the user has left all rooms
  is_leaving BIGINT NOT NULL,
  -- JSON, policy to version: what was accepted with the registration; NULL: there were no terms
  accepted_terms {{text}}
);
CREATE INDEX accounts_leaving ON accounts (user_nid) WHERE is_leaving = 1;
CREATE INDEX accounts_erased ON accounts (user_nid) WHERE is_erased = 1;

CREATE TABLE devices (
  device_nid {{id}},
  user_nid BIGINT NOT NULL,
  device_id {{text}} NOT NULL,
  display_name {{text}},
  created_ms BIGINT NOT NULL,
  last_seen_ms BIGINT,
  last_seen_address {{text}},
  UNIQUE (user_nid, device_id)
);

-- generation counts the refreshes of a session; a session is all the tokens of one device.
CREATE TABLE access_tokens (
  token_hash {{bytes}} NOT NULL PRIMARY KEY,
  user_nid BIGINT NOT NULL,
  device_nid BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  -- 0 until the token was used once: until then the tokens it replaces work, too
  is_confirmed BIGINT NOT NULL,
  -- NULL: it does not expire
  expires_ms BIGINT
) {{without_rowid}};
CREATE INDEX access_tokens_by_device ON access_tokens (device_nid);

-- Used refresh tokens stay until their device goes, so that their reuse is seen.
CREATE TABLE refresh_tokens (
  token_hash {{bytes}} NOT NULL PRIMARY KEY,
  user_nid BIGINT NOT NULL,
  device_nid BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  -- when a token that replaced it was used
  consumed_ms BIGINT
) {{without_rowid}};
CREATE INDEX refresh_tokens_by_device ON refresh_tokens (device_nid, generation);

-- Each is good for one m.login.token login.
CREATE TABLE login_tokens (
  token_hash {{bytes}} NOT NULL PRIMARY KEY,
  user_nid BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
) {{without_rowid}};
CREATE INDEX login_tokens_by_expiry ON login_tokens (expires_ms);

CREATE TABLE registration_tokens (
  token {{text}} NOT NULL PRIMARY KEY,
  -- NULL: as often as wished
  uses_allowed BIGINT,
  uses BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  -- NULL: it does not expire
  expires_ms BIGINT
) {{without_rowid}};

-- The whole profile as one JSON object, displayname and avatar_url included.
CREATE TABLE profiles (
  user_nid {{id}},
  -- counts the changes, so that two at once do not lose one
  version BIGINT NOT NULL,
  fields {{text}} NOT NULL,
  -- 1 from a change of name or avatar until the user's rooms were told
  is_untold BIGINT NOT NULL
);
CREATE INDEX profiles_untold ON profiles (user_nid) WHERE is_untold = 1;
