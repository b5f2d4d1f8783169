import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { type App, compose } from '../../src/app/compose.ts'
import { RetryableError } from '../../src/core/errors.ts'
import { readConfig } from '../../src/infra/config.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { publishMapping } from '../../src/infra/mappings/published.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { contender } from '../child.ts'
import { REFUSED_TEXT, type Size } from './population.ts'
import type { PortalReport } from './vendor.ts'

export interface SyncInput extends Size {
  readonly baseUrl: string
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
}

/** One sync: how long it took, and what came of it. */
export interface Synced extends PortalReport {
  readonly seconds: number
  /** Records by state, in our books. */
  readonly states: Readonly<Record<string, number>>
  /** Of the parked ones, those that have HubSpot's own reason. */
  readonly parkedWithReason: number
  /** How often the step failed and was asked for again. */
  readonly askedAgain: number
}

export interface SyncOutput {
  readonly first: Synced
  readonly changed: Synced
  readonly rerun: Synced
}

const MAPPINGS = fileURLToPath(new URL('../../mappings', import.meta.url))
const CRM = 'hubspot'
const MOST_ASKED = 2

await contender(async (input: SyncInput): Promise<SyncOutput & { seconds: number }> => {
  const config = readConfig({
    RIPEN_DATA_DIR: input.dataDir,
    RIPEN_LOG_LEVEL: 'error',
    RIPEN_CRM_TIMEOUT_MS: '10000',
    HUBSPOT_BASE_URL: input.baseUrl,
    HUBSPOT_ACCESS_TOKEN: 'sandbox-token',
    ...(input.databaseUrl ? { DATABASE_URL: input.databaseUrl } : {}),
  })
  const app = await compose({ config })
  try {
    await publishMapping(app.context.db, 'bench', await mappings())
    await seed(app.context.db, input)
    app.engine.start(['reconcile'], [CRM])
    const run = (sync: number) => syncOnce(app, input, sync)
    await post(input, 'merges/start')
    const first = await run(1)
    await change(app.context.db)
    const changed = await run(2)
    await post(input, 'merges/stop')
    const rerun = await run(2)
    return { seconds: first.seconds + changed.seconds, first, changed, rerun }
  } finally {
    await app.close()
  }
})

async function mappings() {
  const files = Object.entries(await readMappingFolder(MAPPINGS))
  return Object.fromEntries(files.filter(([name]) => !name.startsWith('presets/')))
}

async function syncOnce(app: App, input: SyncInput, sync: number): Promise<Synced> {
  await post(input, 'calls/forget')
  const startedAt = performance.now()
  let askedAgain = 0
  for (;;) {
    await app.engine.request('reconcile', CRM)
    try {
      await app.engine.idle(['reconcile'])
      break
    } catch (error) {
      // As a worker asks again after a minute.
      if (!(error instanceof RetryableError) || askedAgain === MOST_ASKED) throw error
      askedAgain += 1
    }
  }
  const seconds = (performance.now() - startedAt) / 1000
  const report = await fetch(`${input.baseUrl}/bench/report/${sync}`)
  const portal = (await report.json()) as PortalReport
  return { ...portal, seconds, askedAgain, ...(await books(app.context.db)) }
}

async function books(db: Db): Promise<Pick<Synced, 'states' | 'parkedWithReason'>> {
  const { rows } = await sql<{
    state: string
    n: number
    told: number
  }>`select state, count(*) as n,
      count(*) filter (where reason like '%pql_reason_1%') as told
    from crm_record group by state`.execute(db)
  const parked = rows.find(({ state }) => state === 'parked')
  return {
    states: Object.fromEntries(rows.map(({ state, n }) => [state, Number(n)])),
    parkedWithReason: Number(parked?.told ?? 0),
  }
}

async function post({ baseUrl }: SyncInput, path: string): Promise<void> {
  const response = await fetch(`${baseUrl}/bench/${path}`, { method: 'POST' })
  if (!response.ok) throw new Error(`${path} ended with ${response.status}`)
}

/** Records as `desire` leaves them: see population.ts for the same in words. */
async function seed(db: Db, { contacts, companies }: Size): Promise<void> {
  await sql`insert into crm_record (ref, crm, object, may_create, lookup, desired, desired_on_create, state)
    select 'acc_' || lpad(i::text, 7, '0'), ${CRM}, 'company', true,
      jsonb_build_object('emails', '[]'::jsonb, 'domains', jsonb_build_array('company-' || i || '.example'), 'thorough', false),
      jsonb_build_object('pqa_score', (i * 7 + 13) % 101, 'pqa_grade', 'A', 'pqa_reason_1', 'reason ' || i),
      jsonb_build_object('domain', 'company-' || i || '.example', 'name', 'Company ' || i), 'pending'
    from generate_series(0, ${companies - 1}::int) i`.execute(db)
  await sql`insert into crm_record (ref, crm, object, may_create, lookup, desired, desired_on_create, company_ref, state)
    select 'per_' || lpad(i::text, 7, '0'), ${CRM}, 'contact', true,
      jsonb_build_object('emails', jsonb_build_array(mail), 'domains', '[]'::jsonb, 'thorough', false),
      jsonb_build_object('pql_score', (i * 7 + 13) % 101, 'pql_grade', 'A',
        'pql_reason_1', case when i % 1000 = 500 then ${REFUSED_TEXT}::text else 'reason ' || i end),
      jsonb_build_object('email', mail), 'acc_' || lpad((i % ${companies}::int)::text, 7, '0'), 'pending'
    from (select i, 'p' || i || '@company-' || i % ${companies}::int || '.example' as mail
      from generate_series(0, ${contacts - 1}::int) i) n`.execute(db)
  await sql`analyze crm_record`.execute(db)
}

/** Everybody who was not refused, also those who were found to be merged meanwhile, says something else from now on. */
async function change(db: Db): Promise<void> {
  await sql`update crm_record set state = 'pending', changed_at = now(), desired = desired
      || case object when 'contact'
        then jsonb_build_object('pql_score', (substr(ref, 5)::int * 7 + 26) % 101)
        else jsonb_build_object('pqa_score', (substr(ref, 5)::int * 7 + 26) % 101) end
    where state <> 'parked'`.execute(db)
}
