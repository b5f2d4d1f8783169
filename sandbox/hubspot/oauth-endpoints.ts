import express, { type Router } from 'express'
import { html } from '../html.ts'
import type { ApiReply } from '../reply-sender.ts'
import type { AccessGrants, Form } from './access-grants.ts'
import { type ApiCall, type ApiEndpoint, bodyObject } from './api-endpoint.ts'
import { HubspotError, invalid } from './hubspot-error.ts'

/** Calls that bear no access token. */
export function isOpenPath(path: string): boolean {
  return /^\/oauth\/[\w-]+\/(token(\/introspect)?|private-apps\/get\/access-token-info)$/.test(path)
}

/** The token endpoint and what tells about tokens. */
export function oauthEndpoints(access: AccessGrants): ApiEndpoint[] {
  const post = (path: string, kind: ApiEndpoint['kind'], handle: (call: ApiCall) => ApiReply) => ({
    method: 'post' as const,
    path,
    kind,
    handle,
  })
  return [
    post('/oauth/:version/token', 'write', (call) => ({
      status: 200,
      body: access.answer(readForm(call)),
    })),
    post('/oauth/:version/token/introspect', 'read', (call) => ({
      status: 200,
      body: access.describe(readForm(call)['token'] ?? ''),
    })),
    post('/oauth/:version/private-apps/get/access-token-info', 'read', (call) => ({
      status: 200,
      body: access.describeStatic(String(bodyObject(call)['tokenKey'] ?? '')),
    })),
  ]
}

/** Parameters in the address are refused: they would stand in logs. */
function readForm(call: ApiCall): Form {
  if (call.query.size > 0) throw invalid('send the parameters in the body')
  return Object.fromEntries(
    Object.entries(bodyObject(call)).map(([name, value]) => [name, String(value)]),
  )
}

/** The page on which a person lets an app in. */
export function oauthPages(access: AccessGrants): Router {
  const router = express.Router()
  const queryOf = (url: string) => new URLSearchParams(url.split('?')[1] ?? '')
  router.get('/oauth/authorize', (request, response) => {
    tell(response, () => consentPage(access.readRequest(queryOf(request.url)).scopes))
  })
  router.post('/oauth/authorize', express.urlencoded({ extended: false }), (request, response) => {
    const query = queryOf(request.url)
    const isRefused = (request.body as Record<string, unknown> | undefined)?.['answer'] === 'no'
    tell(response, () => {
      response.redirect(302, isRefused ? access.decline(query) : access.agree(query))
      return null
    })
  })
  return router
}

function tell(response: express.Response, answer: () => string | null): void {
  try {
    const page = answer()
    if (page !== null) response.type('html').send(page)
  } catch (error) {
    if (!(error instanceof HubspotError)) throw error
    response.status(error.status).type('html').send(html`<h1>${error.message}</h1>`.text)
  }
}

function consentPage(scopes: readonly string[]): string {
  return html`<!doctype html><title>Connect an app</title>
<h1>Connect an app to this sandbox</h1><p>It will be allowed:</p>
<ul>${scopes.map((scope) => html`<li>${scope}</li>`)}</ul>
<form method="post"><button name="answer" value="yes">Connect app</button>
<button name="answer" value="no">Cancel</button></form>`.text
}
