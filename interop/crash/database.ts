/** The files that are left, looked at without the server. */
import { globSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** What SQLite finds wrong with each database in the folder; undefined when there is none to look at. */
export function integrityProblems(folder: string): string[] | undefined {
  const files = globSync(`${folder}/**/*.{db,sqlite,sqlite3}`)
  if (files.length === 0) return undefined
  return files.flatMap((file) => {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      const integrity = db
        .prepare('PRAGMA integrity_check')
        .all()
        .map((row) => String(row['integrity_check']))
      const foreign = db
        .prepare('PRAGMA foreign_key_check')
        .all()
        .map((row) => JSON.stringify(row))
      return [...integrity.filter((line) => line !== 'ok'), ...foreign].map((line) => `${file}: ${line}`)
    } finally {
      db.close()
    }
  })
}
