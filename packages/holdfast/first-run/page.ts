/** The pages of the first run: one form, no script, nothing from elsewhere. */
import { hash } from 'node:crypto'
import type { HttpResponse } from '@holdfast/platform/http/service'

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 26rem; margin: 12vh auto; padding: 0 1rem }
label { display: block; margin: 1rem 0 0 }
input { box-sizing: border-box; width: 100%; padding: .5rem; font: inherit }
button { margin-top: 1.5rem; padding: .6rem 1.2rem; font: inherit }
[role=alert] { border-left: 4px solid #c00; padding-left: .75rem }
code { overflow-wrap: anywhere }
`

/** Nothing but this style may load, no other site may frame the page or be the target of the form. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${hash('sha256', STYLE, 'base64')}'`,
  "form-action 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
].join('; ')

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': POLICY,
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
} as const

export type FormState = {
  readonly token: string
  readonly serverName: string
  readonly username: string
  readonly problem?: string
}

export function formPage(status: number, { token, serverName, username, problem }: FormState): HttpResponse {
  const alert = problem === undefined ? '' : `<p role="alert">${escapeHtml(problem)}</p>`
  return page(
    status,
    'Create the first administrator',
    `<p>This server is <code>${escapeHtml(serverName)}</code>. The account that you create here administers it.</p>
${alert}
<form method="post" action="/_holdfast/first-run">
<input type="hidden" name="token" value="${escapeHtml(token)}">
<label>User name
<input name="username" value="${escapeHtml(username)}" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus></label>
<label>Password (at least 8 characters)
<input name="password" type="password" autocomplete="new-password" minlength="8" required></label>
<label>Password again
<input name="again" type="password" autocomplete="new-password" minlength="8" required></label>
<button>Create</button>
</form>`,
  )
}

export function donePage({ userId, baseUrl }: { readonly userId: string; readonly baseUrl: string }): HttpResponse {
  return page(
    200,
    'Welcome home',
    `<p><code>${escapeHtml(userId)}</code> is the first administrator.</p>
<p>Now open a Matrix client, choose <code>${escapeHtml(baseUrl)}</code> as the homeserver, and log in.</p>
<p>To let others register, create a registration token: <code>npm run holdfast -- token create</code>.</p>`,
  )
}

export function noticePage(status: number, message: string): HttpResponse {
  return page(status, 'Holdfast', `<p>${escapeHtml(message)}</p>`)
}

function page(status: number, title: string, body: string): HttpResponse {
  const html = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<body>
<h1>${escapeHtml(title)}</h1>
${body}
</body>
</html>
`
  return { status, headers: HEADERS, body: html, meta: { operation: 'firstRun' } }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
