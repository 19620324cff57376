/** A page as a response: one style, at most one script, and headers that let nothing else in. */
import { hash } from 'node:crypto'
import type { HttpResponse } from '@holdfast/platform/http/service'
import { Html, html } from './html.ts'

const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 10vh auto; max-width: 26rem; padding: 0 1rem }
input, button { box-sizing: border-box; font: inherit; margin: .25rem 0 1rem; padding: .5rem; width: 100% }
[role=alert] { border-left: .25rem solid; padding-left: .75rem }`

const STYLE_SOURCE = sourceOf(STYLE)

export type Page = {
  readonly title: string
  readonly body: Html
  /** Runs once, at the end of the page; never made of anything that a request said. */
  readonly script?: string
  /** Whether the script asks this server. */
  readonly connects?: boolean
}

export function pageResponse(status: number, page: Page): HttpResponse {
  const scriptSource = page.script === undefined ? "'none'" : sourceOf(page.script)
  const policy = [
    "default-src 'none'",
    `style-src ${STYLE_SOURCE}`,
    `script-src ${scriptSource}`,
    `connect-src ${page.connects === true ? "'self'" : "'none'"}`,
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ]
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'x-frame-options': 'DENY',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  }
  return { status, headers, body: documentOf(page).text }
}

function documentOf({ title, body, script }: Page): Html {
  const scriptElement =
    script === undefined
      ? html``
      : html`<script>
          ${new Html(script)}
        </script>`
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>${title}</title>
      <style>
        ${new Html(STYLE)}
      </style>
      <h1>${title}</h1>
      ${body} ${scriptElement}
    </html> `
}

/** The only text that the browser will run or style with. <https://www.w3.org/TR/CSP3/#match-element-to-source-list> */
function sourceOf(text: string): string {
  return `'sha256-${hash('sha256', text, 'base64')}'`
}
