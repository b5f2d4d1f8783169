import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import helmet from 'helmet'
import { sql } from 'kysely'
import { z } from 'zod'
import type { App } from '../compose.ts'
import { explain } from '../explanation.ts'
import { evidenceIn } from '../identity-evidence.ts'
import { readRanking } from '../ranking.ts'
import { bearerGuard } from './bearer-guard.ts'
import { mountCrmWebhooks } from './crm-webhooks.ts'
import { mountIngest } from './ingest.ts'
import { mountOAuthCallback, mountOAuthStart } from './oauth.ts'
import { problem } from './problem.ts'

const pageSchema = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  model: z.string().max(64).optional(),
})

/** The HTTP API, apart from the server that listens. */
export function createApi(app: App): Express {
  const api = express()
  api.disable('x-powered-by')
  api.use(helmet())
  api.get('/healthz', (_request, response) => {
    response.json({ status: 'ok' })
  })
  api.get('/readyz', async (_request, response) => {
    await sql`select 1`.execute(app.context.db)
    response.json({ status: 'ready' })
  })
  mountIngest(api, app)
  mountCrmWebhooks(api, app)
  mountOAuthCallback(api, app)
  api.use(bearerGuard(app.config.RIPEN_API_TOKEN))
  mountOAuthStart(api, app)
  api.get('/metrics', async (_request, response) => {
    response.type(app.metrics.registry.contentType).send(await app.metrics.registry.metrics())
  })
  api.get('/api/v1/people', (request, response) => list(app, 'person', request, response))
  api.get('/api/v1/accounts', (request, response) => list(app, 'account', request, response))
  api.get('/api/v1/people/:id/explanation', (request, response) =>
    explanation(app, 'person', request, response),
  )
  api.get('/api/v1/accounts/:id/explanation', (request, response) =>
    explanation(app, 'account', request, response),
  )
  api.use((_request, response) => {
    problem(response, 404, 'there is nothing at this address')
  })
  api.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const name = error instanceof Error ? error.name : typeof error
    app.logger.error(
      { method: request.method, route: request.route?.path, kind: name },
      'request failed',
    )
    problem(response, request.path === '/readyz' ? 503 : 500, 'this did not work; see the log')
  })
  return api
}

async function list(
  app: App,
  subject: 'person' | 'account',
  request: Request,
  response: Response,
): Promise<void> {
  const page = pageSchema.safeParse(request.query)
  if (!page.success) {
    const why = page.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    problem(response, 400, why.join('; '))
    return
  }
  const { limit, offset, model } = page.data
  const options = { limit, offset, ...(model === undefined ? {} : { models: [model] }) }
  response.json({ items: await readRanking(app.context.db, subject, options), limit, offset })
}

async function explanation(
  app: App,
  subject: 'person' | 'account',
  request: Request,
  response: Response,
): Promise<void> {
  const found = await explain(app.context.db, String(request.params['id']), evidenceIn(app.context))
  if (found?.subject !== subject) problem(response, 404, `there is no such ${subject}`)
  else response.json(found)
}
