/** Writes one generated file: types for people, shapes for the checks. */

import { importLines, noImports, property, quote, type Imports } from './imports.ts'
import { GUESTS } from './overrides.ts'
import { authentication, bodyShape, pathParameters, queryParts, versionedPaths, type QueryPart } from './request.ts'
import { grouped, typeOf } from './types.ts'
import { membersValue, valueOf } from './values.ts'
import type { MergedOperation } from './merge.ts'

/** A named type before the operation, or one that stands for itself. */
type Named = { readonly name: string; readonly declaration: string | undefined }

function pascal(id: string): string {
  return id
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')
}

function standing(name: string, imports: Imports): Named {
  imports.operation.add(name)
  return { name, declaration: undefined }
}

function declared(name: string, lines: readonly string[]): Named {
  return { name, declaration: `export type ${name} = {\n${lines.join('\n')}\n}\n` }
}

function paramsType(operation: MergedOperation, imports: Imports): Named {
  const params = pathParameters(operation)
  if (params.length === 0) return standing('NoParams', imports)
  const lines = params.map(({ name, shape }) => `  readonly ${property(name)}: ${typeOf(shape, imports)}`)
  return declared(`${pascal(operation.id)}Params`, lines)
}

function queryLine(part: QueryPart, imports: Imports): string {
  const type = typeOf(part.shape, imports)
  const name = property(part.name)
  if (part.kind === 'many') return `  readonly ${name}: readonly ${grouped(type)}[]`
  if (part.kind === 'rest') return `  readonly ${name}: Readonly<Record<string, string>>`
  return `  readonly ${name}${part.kind === 'may' && part.otherwise === undefined ? '?' : ''}: ${type}`
}

function queryType(operation: MergedOperation, imports: Imports): Named {
  const parts = queryParts(operation)
  if (parts.length === 0) return standing('NoQuery', imports)
  return declared(
    `${pascal(operation.id)}Query`,
    parts.map((part) => queryLine(part, imports)),
  )
}

function bodyType(operation: MergedOperation, imports: Imports): Named {
  const shape = bodyShape(operation)
  if (shape === undefined) return standing('NoBody', imports)
  const type = typeOf(shape, imports)
  if (shape.kind !== 'object' && shape.kind !== 'choice') return { name: type, declaration: undefined }
  const name = `${pascal(operation.id)}Body`
  return { name, declaration: `export type ${name} = ${type}\n` }
}

function queryValue(part: QueryPart, imports: Imports): string {
  imports.query.add(part.kind)
  const parts = [valueOf(part.shape, imports, '    '), ...(part.otherwise === undefined ? [] : [part.otherwise])]
  return `    ${property(part.name)}: ${part.kind}(${parts.join(', ')}),`
}

function block(lines: readonly string[], open: string, close: string): string {
  return lines.length === 0 ? `${open}${close}` : `${open}\n${lines.join('\n')}\n  ${close}`
}

function requestLines(operation: MergedOperation, imports: Imports): string[] {
  const params = pathParameters(operation)
  const absent = params.filter((param) => param.absent !== undefined)
  const query = queryParts(operation).map((part) => queryValue(part, imports))
  const body = bodyShape(operation)
  return [
    `  params: ${membersValue(params, imports, '  ')},`,
    `  absent: ${block(
      absent.map((param) => `    ${param.name}: ${quote(param.absent ?? '')},`),
      '{',
      '}',
    )},`,
    `  query: ${block(query, '{', '}')},`,
    `  body: ${body === undefined ? 'undefined' : valueOf(body, imports, '  ')},`,
  ]
}

function describedLines(operation: MergedOperation): string[] {
  const { auth, credential } = authentication(operation)
  const paths = versionedPaths(operation).map((path) => `    ${quote(path)},`)
  const revisions = [...new Set(operation.sources.map((source) => source.revision))].toSorted()
  return [
    `  id: ${quote(operation.id)},`,
    `  stem: ${quote(operation.stem)},`,
    `  api: ${quote(operation.api)},`,
    `  method: ${quote(operation.method)},`,
    `  paths: ${block(paths, '[', ']')},`,
    `  auth: ${quote(auth)},`,
    `  credential: ${credential === undefined ? 'undefined' : quote(credential)},`,
    `  guests: ${operation.api === 'client-server' && GUESTS.includes(operation.id)},`,
    `  rateLimited: ${operation.rateLimited},`,
    `  deprecated: ${operation.deprecated},`,
    `  revisions: [${revisions.map(quote).join(', ')}],`,
  ]
}

function emitOperation(operation: MergedOperation, imports: Imports): string {
  const types = [paramsType(operation, imports), queryType(operation, imports), bodyType(operation, imports)]
  const lines = [
    `export const ${operation.id}: Operation<${types.map(({ name }) => name).join(', ')}> = operation({`,
    ...describedLines(operation),
    ...requestLines(operation, imports),
    '})\n',
  ]
  const declarations = types.map(({ declaration }) => declaration).filter((text) => text !== undefined)
  return [...declarations, lines.join('\n')].join('\n')
}

/** One file for all operations of one specification file. */
export function emitFile(operations: readonly MergedOperation[]): string {
  const imports = noImports()
  imports.operation.add('Operation')
  const written = operations.map((operation) => emitOperation(operation, imports))
  const header = [
    '// Generated by tools/codegen.ts from the data of the Matrix specification (see NOTICE). Do not edit.',
    '',
    ...importLines(imports),
  ]
  return `${header.join('\n')}\n\n${written.join('\n')}`
}
