-- Rooms shared with other servers: who is there, what was refused, what is to be told.

-- How many joined members each other server has in a room.
CREATE TABLE room_servers (
  room_nid BIGINT NOT NULL,
  server_name {{text}} NOT NULL,
  joined BIGINT NOT NULL,
  PRIMARY KEY (room_nid, server_name)
) {{without_rowid}};
CREATE INDEX room_servers_by_name ON room_servers (server_name, room_nid);

-- Why an event was rejected or soft-failed.
CREATE TABLE event_verdicts (
  event_nid {{id}},
  rule {{text}} NOT NULL,
  message {{text}} NOT NULL
);

-- Redactions that arrived before the event they name.
CREATE TABLE waiting_redactions (
  room_nid BIGINT NOT NULL,
  target_id {{text}} NOT NULL,
  redaction_nid BIGINT NOT NULL,
  PRIMARY KEY (room_nid, target_id, redaction_nid)
) {{without_rowid}};

-- What a user who is invited to or knocks at a room of other servers may know of it: a JSON array of stripped events.
CREATE TABLE stripped_states (
  room_nid BIGINT NOT NULL,
  user_nid BIGINT NOT NULL,
  stripped {{text}} NOT NULL,
  PRIMARY KEY (room_nid, user_nid)
) {{without_rowid}};

-- Events that other servers have to hear of, until the last of them has.
CREATE TABLE outgoing_events (
  position {{id}},
  room_nid BIGINT NOT NULL,
  event_nid BIGINT NOT NULL,
  -- servers that this very event took out of the room: a JSON array, or NULL
  departed {{text}}
);
