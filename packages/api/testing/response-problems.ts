/** Checks a response body against the schema that the specification has for it. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import type { Operation } from '../operation.ts'

type Source = {
  readonly revision: '2018-08' | 'v1.19'
  readonly responses: Readonly<Record<string, { readonly schema?: object }>>
}

const ajv = new Ajv2020({ strict: false, allErrors: true })
const compiled = new WeakMap<object, ValidateFunction>()
const contracts = new Map<string, Readonly<Record<string, readonly Source[]>>>()

function sourcesOf({ api, stem, id }: Pick<Operation, 'api' | 'stem' | 'id'>): readonly Source[] {
  const file = join(import.meta.dirname, '../generated/responses', api, `${stem}.json`)
  let contract = contracts.get(file)
  if (contract === undefined) {
    contract = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, readonly Source[]>>
    contracts.set(file, contract)
  }
  return contract[id] ?? []
}

function problemsOf(schema: object, body: unknown): string[] {
  const validate = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, validate)
  if (validate(body)) return []
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || 'the body'} ${message}`)
}

/**
 * What is wrong with the body of a response, in the words of the newest revision that has the operation;
 * empty if nothing is, or if the specification has no schema for this status.
 */
export function responseProblems(
  operation: Pick<Operation, 'api' | 'stem' | 'id'>,
  response: { readonly status: number; readonly body: unknown; readonly revision?: '2018-08' | 'v1.19' },
): string[] {
  const sources = sourcesOf(operation)
  const source = sources.find(({ revision }) => revision === (response.revision ?? sources[0]?.revision))
  if (source === undefined) throw new Error(`${operation.id} is in no revision asked for`)
  const schema = source.responses[String(response.status)]?.schema
  return schema === undefined ? [] : problemsOf(schema, response.body)
}
