import express, {
  type Express,
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { z } from 'zod'
import type { App } from '../compose.ts'
import { problem } from './problem.ts'
import { secretCheck } from './secret-check.ts'
import { CALL_TYPES, type CallType, messagesOf, writeKeyOf } from './segment-calls.ts'
import { createStageWriter, type StageWriter } from './stage-writer.ts'

/** Amplitude takes no more in one request either; a batch of Segment has 500 KB at most. */
const BODY_LIMIT = '1mb'

const amplitudeEvent = z.looseObject({ event_type: z.string().min(1) })
const amplitudeBody = z.union([amplitudeEvent, z.array(amplitudeEvent).min(1).max(2000)])

/**
 * The webhooks: what comes is stored first and answered at once; a step takes it from there. Each has a
 * secret of its own; without it, it is not there.
 */
export function mountIngest(api: Express, app: App): void {
  const { AMPLITUDE_WEBHOOK_TOKEN, SEGMENT_WRITE_KEY } = app.config
  const json = express.json({ limit: BODY_LIMIT, type: () => true })
  const store = createStageWriter(app)
  api.post('/ingest/amplitude/:token', guarded(AMPLITUDE_WEBHOOK_TOKEN, tokenOf), json, (q, s) =>
    takeAmplitude(store, q, s),
  )
  for (const type of [...CALL_TYPES, 'batch'] as const) {
    // The key may stand in the body, so that is read first.
    const key = guarded(SEGMENT_WRITE_KEY, writeKeyOf)
    api.post(`/ingest/segment/v1/${type}`, unlessAbsent(SEGMENT_WRITE_KEY), json, key, (q, s) =>
      takeSegment(store, type, q, s),
    )
  }
  api.use('/ingest', refuseBody)
}

/** NUL and halves of characters are JSON, but neither PostgreSQL nor DuckDB takes them for text. */
function textOf(event: unknown): string {
  const text = JSON.stringify(event)
  if (!/\\u(?:0000|d[89a-f])/.test(text)) return text
  return JSON.stringify(event, (_key, value) =>
    typeof value === 'string' ? value.replaceAll('\0', '').replace(/\p{Surrogate}/gu, '') : value,
  )
}

async function takeAmplitude(
  store: StageWriter,
  request: Request,
  response: Response,
): Promise<void> {
  const body = amplitudeBody.safeParse(request.body)
  if (!body.success) {
    problem(response, 400, 'send one event, or a list of them, each with its event_type')
    return
  }
  await store('amplitude', (Array.isArray(body.data) ? body.data : [body.data]).map(textOf))
  response.json({ success: true })
}

async function takeSegment(
  store: StageWriter,
  type: CallType | 'batch',
  request: Request,
  response: Response,
): Promise<void> {
  const messages = messagesOf(type, request.body)
  if (typeof messages === 'string') {
    problem(response, 400, messages)
    return
  }
  await store('segment', messages.map(textOf))
  response.json({ success: true })
}

const tokenOf = (request: Request): string => String(request.params['token'] ?? '')

const absent = (response: Response) => problem(response, 404, 'there is nothing at this address')

function unlessAbsent(secret: string | undefined): RequestHandler {
  return (_request, response, next) => (secret ? next() : absent(response))
}

function guarded(
  secret: string | undefined,
  secretOf: (request: Request) => string,
): RequestHandler {
  if (!secret) return (_request, response) => absent(response)
  const isSecret = secretCheck(secret)
  return (request, response, next) => {
    if (isSecret(secretOf(request))) next()
    else problem(response, 401, 'this is not the secret of this webhook')
  }
}

/** What is wrong with a body, without a word of it. */
function refuseBody(error: unknown, _request: Request, response: Response, next: NextFunction) {
  const { status, type } = (error ?? {}) as { status?: unknown; type?: unknown }
  if (type === 'entity.too.large') problem(response, 413, `send ${BODY_LIMIT} at most`)
  else if (status === 400) problem(response, 400, 'the body is no JSON')
  else if (status === 415) problem(response, 415, 'send JSON in UTF-8')
  else next(error)
}
