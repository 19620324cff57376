-- What goes out to other servers: how far they have been told, and what waits for each.

CREATE INDEX outgoing_events_by_room ON outgoing_events (room_nid, position);

-- One row.
CREATE TABLE outbox (
  id {{id}},
  -- every server has heard of the outgoing events up to this position, but for those in outbox_behind
  settled BIGINT NOT NULL,
  -- updates of device lists up to this position are in outgoing_edus
  device_lists BIGINT NOT NULL
);

-- Servers that have heard only of what is up to a position of their own: they fail, or are slow.
CREATE TABLE outbox_behind (
  server_name {{text}} NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL
) {{without_rowid}};

-- EDUs that must not get lost, until the server has them.
CREATE TABLE outgoing_edus (
  server_name {{text}} NOT NULL,
  position BIGINT NOT NULL,
  -- the newest one with a key can stand for those before it; NULL: each counts
  edu_key {{text}},
  edu {{text}} NOT NULL,
  PRIMARY KEY (server_name, position)
) {{without_rowid}};
