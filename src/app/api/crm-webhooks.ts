import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import type { CrmWebhook, WebhookRefusal } from '../../core/ports/crm-webhook.ts'
import { storeDelivery } from '../../infra/postgres/crm-delivery-store.ts'
import type { App } from '../compose.ts'
import { problem } from './problem.ts'
import { createWaker } from './waker.ts'

/** A hundred events, a few of which may hold the longest value that a property can have. */
const BODY_LIMIT = '4mb'

const REFUSALS: Readonly<Record<WebhookRefusal, string>> = {
  unsigned: 'the request has no signature, or no time of signing',
  stale: 'the request was signed too long ago',
  future: 'the request was signed in the future; check the clocks',
  forged: 'the signature is not of this request; check the client secret and RIPEN_PUBLIC_URL',
}

/**
 * The webhooks of CRMs: what is signed is stored as it came and answered at once, since senders give up
 * after seconds; the step `listen` takes it from there. Without a secret and a public address there is none.
 */
export function mountCrmWebhooks(api: Express, app: App): void {
  const wake = createWaker(app, 'listen')
  const raw = express.raw({ limit: BODY_LIMIT, type: () => true, inflate: false })
  for (const [name, { webhook }] of app.context.crms) {
    const path = `/webhooks/${name}`
    if (!webhook) {
      api.post(path, (_request, response) =>
        problem(response, 404, 'there is nothing at this address'),
      )
      continue
    }
    api.post(path, raw, async (request, response) => {
      if (await take(app, webhook, request, response)) wake(name)
    })
  }
  api.use('/webhooks', refuseBody)
}

/** @returns whether something was stored. */
async function take(
  app: App,
  webhook: CrmWebhook,
  request: Request,
  response: Response,
): Promise<boolean> {
  const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
  const { method, headers } = request
  const url = publicUrl(app.config.RIPEN_PUBLIC_URL ?? '', request.originalUrl)
  const refusal = webhook.verify({ method, url, headers, body }, new Date())
  if (refusal !== null) {
    app.logger.warn({ crm: webhook.name, refusal }, 'a webhook was refused')
    problem(response, 401, REFUSALS[refusal])
    return false
  }
  const id = await storeDelivery(app.context.db, webhook.name, body.toString('utf8'))
  app.logger.debug({ crm: webhook.name, delivery: id, bytes: body.length }, 'a webhook was stored')
  response.json({ stored: true })
  return true
}

/** As the sender called it; a path that a proxy takes off stands in RIPEN_PUBLIC_URL. */
function publicUrl(base: string, target: string): string {
  return `${base.replace(/\/+$/, '')}${target}`
}

/** What is wrong with a body, without a word of it. */
function refuseBody(error: unknown, _request: Request, response: Response, next: NextFunction) {
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown }
  if (type === 'entity.too.large') problem(response, 413, `send ${BODY_LIMIT} at most`)
  else if (status === 415) problem(response, 415, 'send the body as it was signed')
  else if (status === 400) problem(response, 400, 'the body broke off')
  else next(error)
}
