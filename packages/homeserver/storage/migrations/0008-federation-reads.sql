-- What other servers look up: events by time, and who stands behind an OpenID token.

-- Bits 2, 4 and 8 of flags are HIDDEN_FLAGS of storage/events.ts: what is on no timeline is not found by time either.
CREATE INDEX events_by_time ON events (room_nid, origin_server_ts, position) WHERE flags & 14 = 0;

-- OpenID tokens, by SHA-256.
CREATE TABLE openid_tokens (
  token_hash {{bytes}} NOT NULL PRIMARY KEY,
  user_nid BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
) {{without_rowid}};
CREATE INDEX openid_tokens_by_user ON openid_tokens (user_nid);
CREATE INDEX openid_tokens_by_expiry ON openid_tokens (expires_ms);
