/** `/_holdfast/first-run`: a link that is good until the server has an administrator. */
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { MatrixError } from '@holdfast/protocol/errors'
import type { LinkTokens } from './link-tokens.ts'
import { donePage, formPage, noticePage } from './page.ts'

export const FIRST_RUN_PATH = '/_holdfast/first-run'

export type FirstRunDeps = {
  readonly serverName: string
  readonly baseUrl: () => string
  readonly tokens: LinkTokens
  readonly hasAdmin: () => Promise<boolean>
  readonly createAdmin: (user: { readonly username: string; readonly password: string }) => Promise<string>
}

export type FirstRun = {
  /** The link to print; undefined when there is an administrator already. */
  link(): Promise<string | undefined>
  handle(request: HttpRequest): Promise<HttpResponse>
}

export function openFirstRun(deps: FirstRunDeps): FirstRun {
  let creating = false
  return {
    link: async () => {
      if (await deps.hasAdmin()) return undefined
      return `${deps.baseUrl()}${FIRST_RUN_PATH}?token=${await deps.tokens.issue()}`
    },
    handle: async (request) => {
      if (request.method !== 'GET' && request.method !== 'POST')
        return noticePage(405, 'This page is opened by its link.')
      const fields = new URLSearchParams(
        request.method === 'GET' ? request.query : Buffer.from(request.body).toString('utf8'),
      )
      const token = fields.get('token') ?? ''
      if (await deps.hasAdmin())
        return noticePage(410, 'This server has an administrator; the link is no longer needed.')
      if (!(await deps.tokens.isValid(token))) {
        return noticePage(
          403,
          'This link is not valid. Each start of the server prints a new one until there is an administrator.',
        )
      }
      if (request.method === 'GET') return formPage(200, { token, serverName: deps.serverName, username: '' })
      // Two forms sent at once would make two administrators.
      if (creating) return noticePage(409, 'The administrator is being created right now.')
      creating = true
      try {
        return await createFirstAdmin(deps, token, fields)
      } finally {
        creating = false
      }
    },
  }
}

async function createFirstAdmin(deps: FirstRunDeps, token: string, fields: URLSearchParams): Promise<HttpResponse> {
  const [username, password, again] = [
    fields.get('username') ?? '',
    fields.get('password') ?? '',
    fields.get('again') ?? '',
  ]
  const refused = (problem: string) => formPage(400, { token, serverName: deps.serverName, username, problem })
  if (password !== again) return refused('The two passwords differ.')
  // Another request may have been faster between its check and this one.
  if (await deps.hasAdmin()) return noticePage(410, 'This server has an administrator; the link is no longer needed.')
  try {
    const userId = await deps.createAdmin({ username, password })
    await deps.tokens.revokeAll()
    return donePage({ userId, baseUrl: deps.baseUrl() })
  } catch (error) {
    if (error instanceof MatrixError) return refused(error.message)
    throw error
  }
}
