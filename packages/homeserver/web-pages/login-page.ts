/** The login page for clients that know none of our login types. <https://spec.matrix.org/v1.19/client-server-api/#login-fallback> */
import { html } from '@holdfast/service/web-pages/html'
import type { Page } from '@holdfast/service/web-pages/page'

/** Parameters of the page go into the login request; credentials never do. */
const SCRIPT = `
const form = document.querySelector('form')
const problem = document.querySelector('[role=alert]')
form.addEventListener('submit', async (event) => {
  event.preventDefault()
  const given = Object.fromEntries(new URLSearchParams(location.search))
  const request = {
    ...(given.device_id ? { device_id: given.device_id } : {}),
    ...(given.initial_device_display_name ? { initial_device_display_name: given.initial_device_display_name } : {}),
    ...(given.refresh_token === 'true' ? { refresh_token: true } : {}),
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: form.elements.user.value },
    password: form.elements.password.value,
  }
  try {
    const response = await fetch('../../../client/v3/login', { method: 'POST', body: JSON.stringify(request) })
    const answer = await response.json()
    if (!response.ok) throw new Error(answer.error)
    if (window.matrixLogin && window.matrixLogin.onLogin) window.matrixLogin.onLogin(answer)
    form.replaceWith('You are logged in. You may go back to your app.')
    problem.hidden = true
  } catch (error) {
    problem.textContent = error.message
    problem.hidden = false
  }
})
`

export const LOGIN_PAGE: Page = {
  title: 'Log in',
  body: html`<p role="alert" hidden></p>
    <form>
      <label>User name<input name="user" autocomplete="username" required autofocus /></label>
      <label>Password<input type="password" name="password" autocomplete="current-password" required /></label>
      <button>Log in</button>
    </form>`,
  script: SCRIPT,
  connects: true,
}
