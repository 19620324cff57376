/** Opens the database of a test's place, in the test's process or in a child. */
import type { Database } from '../database.ts'
import type { Migration } from '../migrations.ts'
import { openPostgres } from '../postgres/open.ts'
import { openSqlite } from '../sqlite/open.ts'
import type { PlaceDescription, PlaceOptions } from './place.ts'

/** Two tables for everything: `entries` has each kind of column and constraint, `tally` counts. */
export const CONTRACT_MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'contract',
    text: `
      CREATE TABLE entries (
        id {{id}},
        name {{text}} UNIQUE,
        amount BIGINT CHECK (amount <> -1313),
        data {{bytes}},
        position BIGINT UNIQUE,
        kind BIGINT NOT NULL
      );
      CREATE TABLE tally (
        name {{text}} NOT NULL,
        entry BIGINT NOT NULL REFERENCES entries (id),
        count {{integer}} NOT NULL,
        PRIMARY KEY (name, entry)
      ) {{without_rowid}};
    `,
  },
]

export function openPlace(place: PlaceDescription, options: PlaceOptions = {}): Promise<Database> {
  const all = { migrations: CONTRACT_MIGRATIONS, ...options }
  if (place.engine === 'sqlite') return openSqlite({ folder: place.folder, writer: place.writer, ...all })
  return openPostgres({ url: place.url, ...all })
}
