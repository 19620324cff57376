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
