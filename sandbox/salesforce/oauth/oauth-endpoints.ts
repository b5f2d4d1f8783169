import { html } from '../../html.ts'
import type { ApiReply } from '../../reply-sender.ts'
import type { ApiCall, ApiEndpoint } from '../api/api-endpoint.ts'
import { ORG_ID, type OrgState } from '../org-state.ts'
import { SalesforceError } from '../salesforce-error.ts'
import type { AccessGrants, Form } from './access-grants.ts'
import { OAuthError } from './oauth-error.ts'

const NO_STORE = { 'cache-control': 'no-store', pragma: 'no-cache' }

/** Authorisation, tokens, and who somebody is. None of these counts to the org's daily calls. */
export function oauthEndpoints(state: OrgState, access: AccessGrants): ApiEndpoint[] {
  const open = (method: ApiEndpoint['method'], path: string, handle: ApiEndpoint['handle']) => ({
    method,
    path,
    kind: 'auth' as const,
    isOpen: true,
    handle,
  })
  return [
    open('post', '/services/oauth2/token', (call) =>
      told(() => ({
        status: 200,
        headers: NO_STORE,
        body: access.answer(formOf(call), call.origin),
      })),
    ),
    open('post', '/services/oauth2/revoke', (call) =>
      told(() => {
        access.revoke(formOf(call)['token'] ?? call.query.get('token') ?? '')
        return { status: 200 }
      }),
    ),
    open('get', '/services/oauth2/authorize', (call) =>
      told(() => ({ status: 200, body: consentPage(access.readRequest(call.query).scope) })),
    ),
    open('post', '/services/oauth2/authorize', (call) =>
      told(() => {
        const isRefused = formOf(call)['answer'] === 'no'
        const location = isRefused ? access.decline(call.query) : access.agree(call.query)
        return { status: 302, headers: { location } }
      }),
    ),
    open('get', '/services/oauth2/userinfo', (call) => whoIs(state, access, call)),
    open('get', '/id/:org/:user', (call) => whoIs(state, access, call)),
  ]
}

function told(answer: () => ApiReply): ApiReply {
  try {
    return answer()
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    return { status: error.status, headers: NO_STORE, body: error.toBody() }
  }
}

function formOf(call: ApiCall): Form {
  return Object.fromEntries(new URLSearchParams(call.text))
}

function whoIs(state: OrgState, access: AccessGrants, call: ApiCall): ApiReply {
  const { authorization } = call.headers
  const grant = access.letIn(authorization)
  const user = state.record(grant.userId)
  if (user === undefined) throw new SalesforceError(403, 'FORBIDDEN', 'Bad_OAuth_Token')
  const { values } = user
  const urls = {
    rest: `${call.origin}/services/data/v{version}/`,
    sobjects: `${call.origin}/services/data/v{version}/sobjects/`,
    query: `${call.origin}/services/data/v{version}/query/`,
  }
  return {
    status: 200,
    body: {
      id: `${call.origin}/id/${ORG_ID}/${user.id}`,
      sub: `${call.origin}/id/${ORG_ID}/${user.id}`,
      user_id: user.id,
      organization_id: ORG_ID,
      username: values['Username'],
      preferred_username: values['Username'],
      nick_name: values['CommunityNickname'],
      display_name: values['Name'],
      name: values['Name'],
      email: values['Email'],
      active: values['IsActive'],
      user_type: 'STANDARD',
      language: 'en_US',
      locale: 'en_US',
      zoneinfo: 'Etc/UTC',
      utcOffset: 0,
      urls,
    },
  }
}

function consentPage(scope: string): string {
  return html`<!doctype html><title>Allow access</title>
<h1>Allow an app into this sandbox org</h1><p>It will be allowed:</p>
<ul>${scope.split(' ').map((one) => html`<li>${one}</li>`)}</ul>
<form method="post"><button name="answer" value="yes">Allow</button>
<button name="answer" value="no">Deny</button></form>`.text
}
