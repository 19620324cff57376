-- Dictionaries, rooms, events, state and membership. Strings live once; everything else names them by integer.

-- Integer ids are leased in blocks, so that they are known before the commit that uses them.
CREATE TABLE nid_blocks (
  kind {{text}} PRIMARY KEY,
  next_nid BIGINT NOT NULL
);

CREATE TABLE users (
  user_nid {{id}},
  user_id {{text}} NOT NULL UNIQUE
);

CREATE TABLE event_types (
  type_nid {{id}},
  type {{text}} NOT NULL UNIQUE
);

CREATE TABLE state_keys (
  state_key_nid {{id}},
  type {{text}} NOT NULL,
  state_key {{text}} NOT NULL,
  UNIQUE (type, state_key)
);

CREATE TABLE rooms (
  room_nid {{id}},
  room_id {{text}} NOT NULL UNIQUE,
  version {{text}} NOT NULL,
  -- the current state, a row of state_snapshots; 0 for a room that only invitations and knocks tell of
  state_nid BIGINT NOT NULL,
  -- forward extremities: packed event_nids
  extremities {{bytes}} NOT NULL,
  depth BIGINT NOT NULL,
  -- position of the newest event of the timeline
  last_position BIGINT NOT NULL
);

CREATE TABLE events (
  event_nid {{id}},
  room_nid BIGINT NOT NULL,
  -- order of acceptance here; what is backfilled gets negative ones, what is on no timeline the least integer
  position BIGINT NOT NULL,
  -- 53 bits of SHA-256 of the event id: a short index, verified against event_id on every hit
  event_id_hash BIGINT NOT NULL,
  event_id {{text}} NOT NULL,
  type_nid BIGINT NOT NULL,
  sender_nid BIGINT NOT NULL,
  state_key_nid BIGINT,
  origin_server_ts BIGINT NOT NULL,
  depth BIGINT NOT NULL,
  -- see storage/events.ts EVENT_FLAGS
  flags BIGINT NOT NULL,
  -- the state after this event, a row of state_snapshots; 0 where it is not known
  state_nid BIGINT NOT NULL,
  -- the state of the room once this event was accepted, where that is not the state after it
  room_state_nid BIGINT,
  -- packed event_nids: the known of prev_events, and auth_events, which are smaller than event_nid
  edges {{bytes}} NOT NULL,
  -- the event this state event replaced, or that redacted this one
  replaces_nid BIGINT,
  redacted_by_nid BIGINT,
  -- the local device and transaction that sent it
  device_nid BIGINT,
  transaction_id {{text}},
  -- the canonical PDU; without signatures while EVENT_FLAGS.unsigned is set
  json {{text}} NOT NULL
);
CREATE INDEX events_by_id ON events (event_id_hash);
CREATE INDEX events_by_room ON events (room_nid, position);
CREATE INDEX events_by_state_key ON events (room_nid, state_key_nid, position) WHERE state_key_nid IS NOT NULL;

-- State as skip deltas: snapshot n holds its difference to an ancestor in the same room (rooms/state-store.ts).
CREATE TABLE state_snapshots (
  state_nid {{id}},
  room_nid BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  -- the snapshot the delta applies to; NULL for a complete one
  anchor_nid BIGINT,
  delta {{bytes}} NOT NULL
);
CREATE INDEX state_snapshots_by_room ON state_snapshots (room_nid);

-- The present membership of each user in each room. membership: see storage/memberships.ts MEMBERSHIP_CODES.
CREATE TABLE memberships (
  room_nid BIGINT NOT NULL,
  user_nid BIGINT NOT NULL,
  membership BIGINT NOT NULL,
  event_nid BIGINT NOT NULL,
  position BIGINT NOT NULL,
  forgotten BIGINT NOT NULL,
  PRIMARY KEY (room_nid, user_nid)
) {{without_rowid}};
CREATE INDEX memberships_by_user ON memberships (user_nid, room_nid);

CREATE TABLE room_aliases (
  alias {{text}} PRIMARY KEY,
  room_nid BIGINT NOT NULL,
  creator_nid BIGINT NOT NULL
);
CREATE INDEX room_aliases_by_room ON room_aliases (room_nid);

-- Rooms shown in the public room directory.
CREATE TABLE published_rooms (
  room_nid {{id}}
);

-- Requests answered before, by device and SHA-256 of method, path and transaction id. event_nid is 0 where the answer is {}.
CREATE TABLE client_transactions (
  device_nid BIGINT NOT NULL,
  request_hash BIGINT NOT NULL,
  event_nid BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (device_nid, request_hash)
) {{without_rowid}};

-- The name and signing key of this server.
CREATE TABLE server_identity (
  only_row {{id}},
  server_name {{text}} NOT NULL,
  key_id {{text}} NOT NULL,
  seed {{bytes}} NOT NULL
);
