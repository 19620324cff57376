-- Rooms that were joined before all of their state was here, until it is.
CREATE TABLE incomplete_rooms (
  room_nid {{id}},
  -- our join: the state before it is what is missing
  join_nid BIGINT NOT NULL,
  -- the server that let us in
  via {{text}} NOT NULL,
  began_ms BIGINT NOT NULL
);

-- Rooms that were once such, and the position at which their state was whole: who syncs from before it has too little of it.
CREATE TABLE filled_rooms (
  room_nid {{id}},
  position BIGINT NOT NULL
);
