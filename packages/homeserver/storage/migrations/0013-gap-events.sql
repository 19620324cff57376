-- Events that were accepted although some of what they follow is missing, by depth: what arrives late may be just that.
-- Bit 16 of flags is EVENT_FLAGS.gap of storage/events.ts.
CREATE INDEX events_with_gap ON events (room_nid, depth) WHERE flags & 16 <> 0;
