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
import { createEngageBook, type EngageBook, type SandboxProfile } from './engage-query.ts'
import { type ExportFault, sendExport, sendFaultyExport } from './export-body.ts'
import { exportTexts, readExportQuery } from './export-query.ts'
import { mergedRows } from './merged-rows.ts'
import { createQueryBudget, type QueryBudget } from './query-budget.ts'

/** How the stand-in for Mixpanel is set up. */
export interface MixpanelSandboxOptions {
  readonly projectId: string
  readonly serviceAccount: string
  readonly secret: string
  /** Rows by day of the project, `YYYY-MM-DD`. */
  readonly events: UsageRows
  readonly profiles?: readonly SandboxProfile[]
  /** Profiles on one page of `engage`. */
  readonly profilesPerPage?: number
  /** Says which day is today; the rows' own `time` is for their author to encode. */
  readonly timezone?: string
  readonly ratePerHour?: number
  readonly ratePerSecond?: number
  /** Before every answer. */
  readonly latencyMs?: number
  /** The clock that says which day is today and how old a request is. */
  readonly now?: () => Date
}

/** A running stand-in for Mixpanel's raw export and its profiles. */
export interface MixpanelSandbox {
  readonly router: express.Router
  readonly faults: FaultScript<EarlyFault | ExportFault>
  /** Lets more events arrive in their days. */
  add(rows: UsageRows): void
  /** From now on `distinctId` is `into`, in old rows too. */
  merge(distinctId: string, into: string): void
  setProfiles(profiles: readonly SandboxProfile[]): void
  /** Forgets every session that profiles are paged in. */
  expireSessions(): void
  calls(): readonly UsageCall[]
  resetCalls(): void
}

interface State {
  readonly options: MixpanelSandboxOptions
  readonly rows: GrowingRows
  readonly faults: FaultPlayer<ExportFault>
  readonly merges: Map<string, string>
  readonly engage: EngageBook
  readonly budget: QueryBudget
  /** The query API has an allowance of its own. */
  readonly engageBudget: QueryBudget
  readonly now: () => Date
}

/** Makes a stand-in for Mixpanel's raw export and its profiles, to be mounted at the root of a server. */
export function createMixpanelSandbox(options: MixpanelSandboxOptions): MixpanelSandbox {
  const { ratePerHour = 60, ratePerSecond = 3, now = () => new Date() } = options
  const state: State = {
    options,
    rows: growingRows(options.events),
    faults: createFaults<ExportFault>(),
    merges: new Map(),
    engage: createEngageBook(options.profiles ?? [], options.profilesPerPage ?? 1000),
    budget: createQueryBudget(ratePerHour, ratePerSecond),
    engageBudget: createQueryBudget(ratePerHour, ratePerSecond),
    now,
  }
  const calls = createCallLog()
  const router = express.Router()
  router.get('/api/2.0/export', async (req, res) => {
    const range = askedRange(req)
    calls.note(req, res, range)
    await answer(state, req, res, range)
  })
  router.post('/api/query/engage', express.urlencoded({ extended: false }), async (req, res) => {
    calls.note(req, res, null)
    await answerEngage(state, req, res)
  })
  return {
    router,
    faults: state.faults,
    add: (rows) => state.rows.add(rows),
    merge: (distinctId, into) => state.merges.set(distinctId, into),
    setProfiles: (profiles) => state.engage.set(profiles),
    expireSessions: () => state.engage.expireSessions(),
    calls: () => calls.list(),
    resetCalls: () => calls.reset(),
  }
}

async function answer(state: State, req: Request, res: Response, range: AskedRange | null) {
  const early = await begin(state, res, range)
  if (early.answered) return
  const query = queryFor(state, req)
  if ('error' in query) {
    refuse(req, res, query.status, query.error)
    return
  }
  const days = state.rows.between(query.from, query.to)
  const texts = exportTexts(mergedRows(state.rows, state.merges), days, query)
  res.status(200).set('content-type', 'text/plain; charset=utf-8')
  const fault = early.delayed ? undefined : state.faults.takeForBody(range)
  await sendBody(req, res, texts, fault)
}

async function answerEngage(state: State, req: Request, res: Response) {
  const early = await begin(state, res, null)
  if (early.answered) return
  const refused = refusalOf(state, req, state.engageBudget)
  if (refused) {
    refuse(req, res, refused.status, refused.error)
    return
  }
  const page = state.engage.answer((req.body ?? {}) as Record<string, unknown>)
  if ('error' in page) {
    refuse(req, res, 400, String(page.error))
    return
  }
  res.status(200).set('content-type', 'application/json')
  const fault = early.delayed ? undefined : state.faults.takeForBody(null)
  await sendBody(req, res, [JSON.stringify(page)], fault)
}

/** What happens before an answer is made up; it may have been the answer. */
async function begin(state: State, res: Response, range: AskedRange | null) {
  const { latencyMs = 0 } = state.options
  if (latencyMs > 0) await sleep(latencyMs)
  const early = state.faults.takeEarly(range)
  const answered = early !== undefined && (await playEarly(res, early))
  return { answered, delayed: early !== undefined }
}

function refuse(req: Request, res: Response, status: number, error: string): void {
  res.status(status).json({ request: req.originalUrl, error, status: 'error' })
}

async function sendBody(
  req: Request,
  res: Response,
  texts: Iterable<string>,
  fault: ExportFault | undefined,
) {
  const gzip = /\bgzip\b/.test(String(req.headers['accept-encoding'] ?? ''))
  res.set('vary', 'Accept-Encoding')
  if (fault === undefined) await sendExport(res, texts, gzip)
  else await sendFaultyExport(res, texts, gzip, fault)
}

/** The query to run, or why not, in Mixpanel's words where they are known. */
function queryFor(state: State, req: Request) {
  const refused = refusalOf(state, req, state.budget)
  if (refused) return refused
  const { options, now } = state
  const query = readExportQuery(req.query, dayIn(options.timezone ?? 'UTC', now()))
  return 'error' in query ? { status: 400, error: query.error } : query
}

/** Why a request is refused, whatever it asks for; null when it may go on. */
function refusalOf({ options, now }: State, req: Request, budget: QueryBudget) {
  const { projectId, serviceAccount, secret } = options
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
  return over === null ? null : { status: 429, error: over }
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
