/** The database as one life of a server sees it: a commit can be its last, or fail so that nobody knows its outcome. */
import {
  CommitOutcomeUnknown,
  type Committed,
  type Database,
  DatabaseUnavailable,
  type Reader,
  type Statement,
} from '@holdfast/platform/database/database'
import { ListParameter, PositionPlaceholder, type SqlParameter } from '@holdfast/platform/database/sql'
import { type Life, never, whileAlive } from '../world/life.ts'

/** What becomes of a commit. */
export type CommitFate = 'applied' | 'crash-before' | 'crash-after' | 'unknown-applied' | 'unknown-lost' | 'unavailable'

export type MortalDatabaseOptions = {
  readonly life: Life
  /** Asked for each commit. */
  readonly fate: () => CommitFate
  readonly note: (fate: CommitFate, statements: readonly Statement[]) => void
}

export function mortalDatabase(db: Database, options: MortalDatabaseOptions): Database {
  const { life } = options
  return {
    engine: db.engine,
    ...mortalReader(db, life),
    heavy: mortalReader(db.heavy, life),
    commit: async (statements, given) => {
      if (life.isOver) return never()
      const fate = options.fate()
      options.note(fate, statements)
      return whileAlive(
        life,
        suffer(db, { life, fate }, () => db.commit(statements, given)),
      )
    },
    lastPosition: () => db.lastPosition(),
    // The disk outlives the process.
    [Symbol.asyncDispose]: async () => {},
  }
}

async function suffer(
  db: Database,
  { life, fate }: { readonly life: Life; readonly fate: CommitFate },
  commit: () => Promise<Committed>,
): Promise<Committed> {
  switch (fate) {
    case 'applied':
      return commit()
    case 'crash-before':
      life.end()
      return never()
    case 'crash-after':
      life.end()
      await commit()
      return never()
    case 'unknown-applied':
      await commit()
      throw new CommitOutcomeUnknown('the connection was lost')
    case 'unknown-lost':
      await db.column({ strings: ONE, parameters: [] })
      throw new CommitOutcomeUnknown('the connection was lost')
    case 'unavailable':
      throw new DatabaseUnavailable('the disk is full')
  }
}

const ONE = Object.assign(['SELECT 1'], { raw: ['SELECT 1'] }) as unknown as TemplateStringsArray

function mortalReader(reader: Reader, life: Life): Reader {
  return {
    all: (query) => (life.isOver ? never() : whileAlive(life, reader.all(query))),
    row: (query) => (life.isOver ? never() : whileAlive(life, reader.row(query))),
    column: (query) => (life.isOver ? never() : whileAlive(life, reader.column(query))),
  }
}

/** What a list of statements writes, for the digest of the trace. */
export function writtenText(statements: readonly Statement[]): string {
  return statements.map(({ sql }) => sql.parameters.map(parameterText).join(',')).join(';')
}

function parameterText(parameter: SqlParameter): string {
  if (parameter instanceof PositionPlaceholder) return `+${parameter.offset}`
  if (parameter instanceof ListParameter) return parameter.values.join(' ')
  return parameter instanceof Uint8Array ? Buffer.from(parameter).toString('latin1') : String(parameter)
}
