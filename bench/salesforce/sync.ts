import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { type App, compose } from '../../src/app/compose.ts'
import { callbackUrl } from '../../src/app/oauth-connection.ts'
import { RetryableError } from '../../src/core/errors.ts'
import { readConfig } from '../../src/infra/config.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { publishMapping } from '../../src/infra/mappings/published.ts'
import { contender } from '../child.ts'
import { REFUSAL, type Size } from './population.ts'
import { changeBooks, seedBooks } from './seed-books.ts'

/** What one process is to do with our books. */
export type Step = 'connect' | 'sync' | 'change'

export interface StepInput extends Size {
  readonly step: Step
  readonly baseUrl: string
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
  /** Seals the tokens of the connection. */
  readonly encryptionKey: string
}

/** What our books say after a step. */
export interface Books {
  /** Records by state. */
  readonly states: Readonly<Record<string, number>>
  /** Of the parked ones, those that have Salesforce's own code. */
  readonly parkedWithCode: number
  /** Jobs that are not known to be over. */
  readonly openJobs: number
  /** How often the step failed and was asked for again. */
  readonly askedAgain: number
  /** Jobs of an earlier process that were waited for. */
  readonly resumed: number
}

const MAPPINGS = fileURLToPath(new URL('../../mappings', import.meta.url))
const CRM = 'salesforce'
const MOST_ASKED = 2

await contender(async (input: StepInput): Promise<Books & { seconds: number }> => {
  const app = await compose({ config: configOf(input) })
  try {
    if (input.step === 'connect') await connect(app, input)
    if (input.step === 'change') await changeBooks(app.context.db)
    const startedAt = performance.now()
    const askedAgain = input.step === 'sync' ? await syncOnce(app) : 0
    const seconds = (performance.now() - startedAt) / 1_000
    return { seconds, askedAgain, ...(await readBooks(app)) }
  } finally {
    await app.close()
  }
})

function configOf({ dataDir, baseUrl, databaseUrl, encryptionKey }: StepInput) {
  return readConfig({
    RIPEN_DATA_DIR: dataDir,
    RIPEN_LOG_LEVEL: 'error',
    RIPEN_ENCRYPTION_KEY: encryptionKey,
    SALESFORCE_BASE_URL: baseUrl,
    SALESFORCE_CLIENT_ID: 'sandbox-client',
    SALESFORCE_CLIENT_SECRET: 'sandbox-secret',
    SALESFORCE_SESSION_MINUTES: '2',
    SALESFORCE_CALLS_PER_10S: '1000',
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
  })
}

/** Our books, and an app that a person lets into the org. */
async function connect(app: App, input: StepInput): Promise<void> {
  await publishMapping(app.context.db, 'bench', await mappings(input))
  await seedBooks(app.context.db, input)
  const flow = app.oauth.get(CRM)?.flow
  if (!flow) throw new Error('Salesforce has no connection')
  const redirect = callbackUrl('http://127.0.0.1:1', CRM)
  const asked = await fetch(await flow.start(redirect, ['api', 'refresh_token']), {
    method: 'POST',
    body: new URLSearchParams({ answer: 'yes' }),
    redirect: 'manual',
  })
  const back = new URL(asked.headers.get('location') ?? 'none:')
  await flow.finish(back.searchParams, AbortSignal.timeout(10_000))
}

async function mappings({ bulkFrom }: Size) {
  const files = Object.entries(await readMappingFolder(MAPPINGS))
  const own = files.filter(([name]) => !name.startsWith('presets/'))
  return Object.fromEntries(
    own.map(([name, text]) => [name, text.replace(/bulk-from: \d+/, `bulk-from: ${bulkFrom}`)]),
  )
}

/** @returns how often it had to be asked for again. */
async function syncOnce(app: App): Promise<number> {
  app.engine.start(['reconcile'], [CRM])
  for (let askedAgain = 0; ; askedAgain++) {
    await app.engine.request('reconcile', CRM)
    try {
      await app.engine.idle(['reconcile'])
      return askedAgain
    } catch (error) {
      // As a worker asks again after a minute.
      if (!(error instanceof RetryableError) || askedAgain === MOST_ASKED) throw error
    }
  }
}

async function readBooks({ context: { db } }: App): Promise<Omit<Books, 'askedAgain'>> {
  const { rows } = await sql<{ state: string; n: number; told: number }>`
    select state, count(*) as n, count(*) filter (where code = ${REFUSAL}) as told
    from crm_record group by state`.execute(db)
  const jobs = await db.selectFrom('crm_bulk_job').select('job_id').execute()
  const runs = await db
    .selectFrom('run')
    .select(['counts'])
    .where('step', '=', 'reconcile')
    .orderBy('id', 'desc')
    .limit(1)
    .execute()
  const counts = (runs[0]?.counts ?? {}) as Record<string, number>
  return {
    states: Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)])),
    parkedWithCode: Number(rows.find(({ state }) => state === 'parked')?.told ?? 0),
    openJobs: jobs.length,
    resumed: counts['jobsResumed'] ?? 0,
  }
}
