import type { Express, Request, Response } from 'express'
import { playbooksOf } from '../../core/playbook/playbooks-of.ts'
import { crmNeeds } from '../../core/sync/crm-needs.ts'
import { isPublished, readEffective } from '../../infra/mappings/published.ts'
import { reviveCrm } from '../../infra/postgres/work.ts'
import type { App } from '../compose.ts'
import { callbackUrl } from '../oauth-connection.ts'
import { finishOAuth } from '../oauth-page.ts'
import { problem } from './problem.ts'

/** Where vendors send browsers back to. Before the guard: the state of the address is its secret. */
export function mountOAuthCallback(api: Express, app: App): void {
  api.get('/oauth/:crm/callback', async (request, response) => {
    const { connection, name } = connectionOf(app, request)
    if (!connection) return absent(response)
    const parameters = new URLSearchParams(request.url.split('?')[1] ?? '')
    const { connected, failure, page } = await finishOAuth(connection.flow, parameters)
    if (connected) await reviveCrm(app.context.db, name)
    else app.logger.warn({ crm: name, kind: failure?.name }, 'an authorisation came to nothing')
    response
      .status(connected ? 200 : 400)
      .setHeader('cache-control', 'no-store')
      .type('html')
      .send(page)
  })
}

/** Where somebody who may use the API begins: he is sent to the vendor. */
export function mountOAuthStart(api: Express, app: App): void {
  api.get('/oauth/:crm/start', async (request, response) => {
    const { connection, name, publicUrl } = connectionOf(app, request)
    if (!connection || !publicUrl) return absent(response)
    if (!(await isPublished(app.context.db))) {
      return problem(response, 409, 'publish a mapping first: it says which scopes are needed')
    }
    const { set } = await readEffective(app.context.db)
    const mapping = set.crms.get(name)
    const needs = mapping
      ? crmNeeds(mapping, playbooksOf(set, name))
      : { objects: [], tasks: false }
    const url = await connection.flow.start(callbackUrl(publicUrl, name), connection.scopes(needs))
    response.setHeader('cache-control', 'no-store').redirect(302, url)
  })
}

function connectionOf(app: App, request: Request) {
  const name = String(request.params['crm'] ?? '')
  const publicUrl = app.config.RIPEN_PUBLIC_URL ?? null
  return { name, publicUrl, connection: publicUrl ? (app.oauth.get(name) ?? null) : null }
}

function absent(response: Response): void {
  problem(response, 404, 'there is nothing at this address')
}
