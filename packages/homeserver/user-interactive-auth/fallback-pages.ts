/** The page of each stage, for clients that do not know it. <https://spec.matrix.org/v1.19/client-server-api/#fallback> */
import type { TermsPolicy } from '../settings.ts'
import { html, type Html } from '@holdfast/service/web-pages/html'
import type { Page } from '@holdfast/service/web-pages/page'
import type { StageType } from './stage-types.ts'

/** What the specification wants the page to run when the stage is completed. */
const DONE_SCRIPT = `
if (window.onAuthDone) {
  window.onAuthDone()
} else if (window.opener && window.opener.postMessage) {
  window.opener.postMessage('authDone', '*')
}
`

export function donePage(): Page {
  return {
    title: 'Thank you',
    body: html`<p>You may close this window and go back to your app.</p>`,
    script: DONE_SCRIPT,
  }
}

export function refusedPage(problem: string): Page {
  return { title: 'This does not work', body: html`<p role="alert">${problem}</p>` }
}

export type StagePage = {
  readonly stage: StageType
  readonly session: string
  readonly terms: readonly TermsPolicy[]
  /** What was wrong with the last attempt. */
  readonly problem: string | undefined
}

export function stagePage({ stage, session, terms, problem }: StagePage): Page {
  const { title, body } = FORMS[stage](terms)
  const alert = problem === undefined ? html`` : html`<p role="alert">${problem}</p>`
  return {
    title,
    body: html`${alert}
      <form method="post"><input type="hidden" name="session" value="${session}" />${body}</form>`,
  }
}

const FORMS: Readonly<Record<StageType, (terms: readonly TermsPolicy[]) => { title: string; body: Html }>> = {
  'm.login.dummy': () => ({ title: 'Go on', body: html`<button>Go on</button>` }),
  'm.login.password': () => ({
    title: 'Is it you?',
    body: html`<label
        >Your password<input type="password" name="password" autocomplete="current-password" required autofocus
      /></label>
      <button>Confirm</button>`,
  }),
  'm.login.registration_token': () => ({
    title: 'Registration token',
    body: html`<label>The token you were given<input name="token" autocomplete="off" required autofocus /></label>
      <button>Go on</button>`,
  }),
  'm.login.terms': (terms) => ({
    title: 'Terms',
    body: html`<p>Please read and accept:</p>
      <ul>
        ${terms.flatMap(policyLinks)}
      </ul>
      <button>I accept</button>`,
  }),
}

/** Only addresses of the web become links. */
function policyLinks({ translations }: TermsPolicy): readonly Html[] {
  return Object.entries(translations).map(([language, { name, url }]) =>
    /^https?:\/\//i.test(url)
      ? html`<li lang="${language}"><a href="${url}" target="_blank" rel="noopener noreferrer">${name}</a></li>`
      : html`<li lang="${language}">${name}: ${url}</li>`,
  )
}
