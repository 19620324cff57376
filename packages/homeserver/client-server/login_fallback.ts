/** GET /_matrix/static/client/login/ <https://spec.matrix.org/v1.19/client-server-api/#login-fallback> */
import { operation } from '@holdfast/api/operation'
import { LOGIN_PAGE } from '../web-pages/login-page.ts'
import { pageResponse } from '@holdfast/service/web-pages/page'
import type { Endpoint } from '../http/endpoint.ts'

export const getLoginFallback: Endpoint = {
  ...operation({
    id: 'getLoginFallback',
    stem: 'login_fallback',
    api: 'client-server',
    method: 'GET',
    paths: ['/_matrix/static/client/login/'],
    auth: 'none',
    credential: undefined,
    guests: false,
    rateLimited: false,
    deprecated: false,
    revisions: ['2018-08', 'v1.19'],
    params: {},
    absent: {},
    query: {},
    body: undefined,
  }),
  answer: async () => pageResponse(200, LOGIN_PAGE),
}
