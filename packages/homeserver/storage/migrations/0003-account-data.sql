-- What users keep here for their clients: account data (with tags), and filters.

-- room_nid is 0 for what belongs to the user as a whole.
CREATE TABLE account_data (
  user_nid BIGINT NOT NULL,
  room_nid BIGINT NOT NULL,
  type {{text}} NOT NULL,
  content {{text}} NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (user_nid, room_nid, type)
) {{without_rowid}};
CREATE INDEX account_data_by_position ON account_data (user_nid, position);

-- Filters are kept by what they say: the id is the hash of the text.
CREATE TABLE filters (
  user_nid BIGINT NOT NULL,
  filter_id {{text}} NOT NULL,
  filter {{text}} NOT NULL,
  PRIMARY KEY (user_nid, filter_id)
) {{without_rowid}};
