/** What the contract suite needs of an engine under test. */
import type { Database, DatabaseObserver } from '../database.ts'
import type { Migration } from '../migrations.ts'

export type PlaceOptions = { readonly migrations?: readonly Migration[]; readonly observer?: DatabaseObserver }

/** A place that holds one database, empty at first; it can be opened again and again. */
export type Place = AsyncDisposable & {
  /** Opens it here. The migrations are `CONTRACT_MIGRATIONS` unless given. */
  open(options?: PlaceOptions): Promise<Database>
  /** What a child process passes to `openFromDescription` to open the same place. */
  readonly description: PlaceDescription
}

export type PlaceDescription =
  | { readonly engine: 'sqlite'; readonly folder: string; readonly writer: 'inline' | 'thread' }
  | { readonly engine: 'postgres'; readonly url: string }

export type Engine = { readonly name: string; place(): Promise<Place> }
