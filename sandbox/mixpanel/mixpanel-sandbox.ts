import { Buffer } from 'node:buffer'
import { setTimeout as sleep } from 'node:timers/promises'
import express, { type Request, type Response } from 'express'
import { type GrowingRows, growingRows, type UsageRows } from '../company/usage-rows.ts'
import { type AskedRange, createCallLog, type UsageCall } from '../usage-calls.ts'
import {
  createFaults,
  type EarlyFault,
  type FaultPlayer,
  type FaultScript,
  playEarly,
} from '../usage-faults.ts'
import { type ExportFault, sendExport, sendFaultyExport } from './export-body.ts'
import { exportTexts, readExportQuery } from './export-query.ts'
import { createQueryBudget, type QueryBudget } from './query-budget.ts'

/** How the stand-in for Mixpanel is set up. */
export interface MixpanelSandboxOptions {
  readonly projectId: string
  readonly serviceAccount: string
  readonly secret: string
  /** Rows by day of the project, `YYYY-MM-DD`. */
  readonly events: UsageRows
  /** Says which day is today; the rows' own `time` is for their author to encode. */
  readonly timezone?: string
  readonly ratePerHour?: number
  readonly ratePerSecond?: number
  /** Before every answer. */
  readonly latencyMs?: number
  /** The clock that says which day is today and how old a request is. */
  readonly now?: () => Date
}

/** A running stand-in for Mixpanel's raw export. */
export interface MixpanelSandbox {
  readonly router: express.Router
  readonly faults: FaultScript<EarlyFault | ExportFault>
  /** Lets more events arrive in their days. */
  add(rows: UsageRows): void
  calls(): readonly UsageCall[]
  resetCalls(): void
}

interface State {
  readonly options: MixpanelSandboxOptions
  readonly rows: GrowingRows
  readonly faults: FaultPlayer<ExportFault>
  readonly budget: QueryBudget
  readonly now: () => Date
}

/** Makes a stand-in for Mixpanel's raw export, to be mounted at the root of a server. */
export function createMixpanelSandbox(options: MixpanelSandboxOptions): MixpanelSandbox {
  const { ratePerHour = 60, ratePerSecond = 3, now = () => new Date() } = options
  const state: State = {
    options,
    rows: growingRows(options.events),
    faults: createFaults<ExportFault>(),
    budget: createQueryBudget(ratePerHour, ratePerSecond),
    now,
  }
  const calls = createCallLog()
  const router = express.Router()
  router.get('/api/2.0/export', async (req, res) => {
    const range = askedRange(req)
    calls.note(req, res, range)
    await answer(state, req, res, range)
  })
  return {
    router,
    faults: state.faults,
    add: (rows) => state.rows.add(rows),
    calls: () => calls.list(),
    resetCalls: () => calls.reset(),
  }
}

async function answer(state: State, req: Request, res: Response, range: AskedRange | null) {
  const { latencyMs = 0 } = state.options
  if (latencyMs > 0) await sleep(latencyMs)
  const early = state.faults.takeEarly(range)
  if (early !== undefined && (await playEarly(res, early))) return
  const query = queryFor(state, req)
  if ('error' in query) {
    const { status, error } = query
    res.status(status).json({ request: req.originalUrl, error, status: 'error' })
    return
  }
  const days = state.rows.between(query.from, query.to)
  const gzip = /\bgzip\b/.test(String(req.headers['accept-encoding'] ?? ''))
  const texts = exportTexts(state.rows, days, query)
  res.status(200).set({ 'content-type': 'text/plain; charset=utf-8', vary: 'Accept-Encoding' })
  const fault = early === undefined ? state.faults.takeForBody(range) : undefined
  if (fault === undefined) await sendExport(res, texts, gzip)
  else await sendFaultyExport(res, texts, gzip, fault)
}

/** The query to run, or why not, in Mixpanel's words where they are known. */
function queryFor({ options, budget, now }: State, req: Request) {
  const { projectId, serviceAccount, secret, timezone = 'UTC' } = options
  const login = Buffer.from(`${serviceAccount}:${secret}`).toString('base64')
  if (req.headers.authorization !== `Basic ${login}`) {
    return { status: 401, error: 'Invalid service account credentials' }
  }
  const { project_id } = req.query
  if (project_id === undefined) return { status: 400, error: 'project_id is a required parameter' }
  if (project_id !== projectId) {
    return { status: 403, error: 'User does not have access to this project' }
  }
  const over = budget.take(now().getTime())
  if (over !== null) return { status: 429, error: over }
  const query = readExportQuery(req.query, dayIn(timezone, now()))
  return 'error' in query ? { status: 400, error: query.error } : query
}

function askedRange({ query }: Request): AskedRange | null {
  const { from_date, to_date } = query
  const asked = typeof from_date === 'string' && typeof to_date === 'string'
  return asked ? { from: from_date, to: to_date } : null
}

/** Today's date in a time zone. */
function dayIn(timezone: string, now: Date): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: timezone }).format(now)
}
