-- Other servers as destinations: when they may be tried again.

-- Only servers that something was ever queued for have a row, so that nobody fills the table with names of their own.
CREATE TABLE destinations (
  destination_nid {{id}},
  server_name {{text}} NOT NULL UNIQUE,
  -- NULL while it can be reached
  failing_since_ms BIGINT,
  retry_at_ms BIGINT,
  -- the pause before retry_at_ms, which doubles with each failure
  interval_ms BIGINT NOT NULL,
  -- within an hour
  last_success_ms BIGINT,
  last_error {{text}}
);
CREATE INDEX destinations_failing ON destinations (retry_at_ms) WHERE failing_since_ms IS NOT NULL;
