/** `node packages/platform/config/write-docs.ts` writes the pages that are made from the table of settings. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { configurationPage, configurationSchema } from './docs.ts'

export const DOCS_FOLDER = new URL('../../../docs/operating/', import.meta.url)

if (import.meta.main) {
  mkdirSync(DOCS_FOLDER, { recursive: true })
  writeFileSync(new URL('configuration.md', DOCS_FOLDER), configurationPage())
  writeFileSync(new URL('holdfast.schema.json', DOCS_FOLDER), configurationSchema())
}
