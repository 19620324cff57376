-- What is told live and is no event: receipts, typing, presence, to-device messages.

-- The newest receipt of each user, type and thread in a room.
CREATE TABLE receipts (
  room_nid BIGINT NOT NULL,
  user_nid BIGINT NOT NULL,
  -- see storage/receipts.ts RECEIPT_CODES
  type BIGINT NOT NULL,
  -- 0: of no thread; -1: of the main timeline; otherwise the event_nid of the thread's root
  thread_nid BIGINT NOT NULL,
  event_nid BIGINT NOT NULL,
  -- the position of that event: a receipt never moves back
  event_position BIGINT NOT NULL,
  received_ms BIGINT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (room_nid, user_nid, type, thread_nid)
) {{without_rowid}};
CREATE INDEX receipts_by_position ON receipts (room_nid, position);
CREATE INDEX receipts_by_user ON receipts (user_nid);

-- When the list of those who type in a room changed last. Who types is only in memory: a row with is_active = 1 at the
-- start means that clients were told of somebody and have to be told that nobody types any more.
CREATE TABLE typing_rooms (
  room_nid {{id}},
  is_active BIGINT NOT NULL,
  position BIGINT NOT NULL
);
CREATE INDEX typing_rooms_active ON typing_rooms (room_nid) WHERE is_active = 1;

-- Presence as it was told last, by other servers for their users.
CREATE TABLE presence (
  user_nid {{id}},
  -- see storage/presence.ts PRESENCE_CODES
  state BIGINT NOT NULL,
  status_message {{text}},
  last_active_ms BIGINT NOT NULL,
  position BIGINT NOT NULL
);
CREATE INDEX presence_by_position ON presence (position);

-- Messages that wait for a device, as the JSON text it is given. At most one for each position.
CREATE TABLE to_device (
  device_nid BIGINT NOT NULL,
  position BIGINT NOT NULL,
  message {{text}} NOT NULL,
  PRIMARY KEY (device_nid, position)
) {{without_rowid}};
