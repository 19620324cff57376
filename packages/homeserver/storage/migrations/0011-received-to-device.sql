-- Messages to devices that other servers sent, so that one that comes again is known. Kept for a while.
CREATE TABLE received_to_device (
  server_name {{text}} NOT NULL,
  message_id {{text}} NOT NULL,
  received_ms BIGINT NOT NULL,
  PRIMARY KEY (server_name, message_id)
) {{without_rowid}};
CREATE INDEX received_to_device_by_time ON received_to_device (received_ms);
