import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { freshnessFindings } from '../../jobs/alerts/crm-findings.ts'
import { describeStatus } from '../../src/app/cli/status-text.ts'
import { readFreshness } from '../../src/infra/postgres/freshness-report.ts'
import { readOpenDue } from '../../src/infra/postgres/freshness-store.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { eventually } from '../support/embedded-processes.ts'
import { closeIngest, type IngestThread, openIngest } from '../support/ingest.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, pulledState } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(async () => {
  await closeIngest()
  await closeThreads()
})
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const ago = (minutes: number) => new Date(NOW.getTime() - minutes * 60_000).toISOString()
const DOMAIN = 'brand-new.dev'

/** A team that is ready to be called, as three people tell it within minutes. */
async function playTeam(thread: IngestThread): Promise<void> {
  const track = (who: string, event: string, messageId: string) =>
    thread.segment('track', {
      ...{ event, messageId, userId: `s-${who}`, timestamp: ago(5) },
      context: { traits: { email: `${who}@${DOMAIN}` } },
    })
  await track('kim', 'Signed Up', 'm-1')
  await track('kim', 'Activation Reached', 'm-2')
  await track('kim', 'invite_sent', 'm-3')
  await track('kim', 'invite_sent', 'm-4')
  await track('lee', 'Dashboard Created', 'm-5')
  await track('max', 'Query Run', 'm-6')
}

const objective = { share: 0.95, withinSeconds: 900, overHours: 24 }

const inPortal = ({ vendors: { hubspot } }: IngestThread) => ({
  kim: hubspot.records('contacts').find((c) => c.properties['email'] === `kim@${DOMAIN}`),
  company: hubspot.records('companies').find((c) => c.properties['domain'] === DOMAIN),
  tasks: hubspot
    .records('tasks')
    .filter((task) => task.properties['hs_task_subject']?.includes(DOMAIN)),
})

const runsOf = ({ app }: IngestThread, step: string) =>
  app.context.db.selectFrom('run').select('counts').where('step', '=', step).orderBy('id').execute()

describe('what streams in', () => {
  it('is in the fields and the task of who is qualified though nobody asks, and how long it took is told', async () => {
    const thread = await openIngest({ origin })
    await thread.run()
    await playTeam(thread)
    await eventually('the task', async () => inPortal(thread).tasks.length > 0)
    const { kim, company } = inPortal(thread)
    expect(kim?.properties).toMatchObject({ pql_usage_status: 'qualified' })
    expect(company?.properties).toMatchObject({ pqa_usage_status: 'qualified' })
    const { db } = thread.app.context
    const counted = await eventually('the counts', async () => {
      const { hubspot } = await readFreshness(db, objective, new Set(['hubspot']))
      return hubspot?.taken.some(({ object }) => object === 'task') ? hubspot : undefined
    })
    expect(counted.standing).toMatchObject({ share: 1, isKept: true, budgetUsed: 0 })
    const of = (object: string, since: string) =>
      counted.taken.find((one) => one.qualified && one.object === object && one.since === since)
    // Since the arrival, seconds; since the event, which the sender told five minutes late, more than that.
    for (const object of ['contact', 'company', 'task']) {
      expect(of(object, 'arrival')?.p99Seconds).toBeLessThanOrEqual(120)
      expect(of(object, 'event')?.medianSeconds).toBeGreaterThanOrEqual(600)
    }
    const row = await db
      .selectFrom('freshness as f')
      .innerJoin('person as p', 'p.id', 'f.ref')
      .select(['due_since', 'arrived_at', 'event_at', 'in_crm_at'])
      .where('p.email', '=', `kim@${DOMAIN}`)
      .executeTakeFirstOrThrow()
    expect(row.due_since).toBeNull()
    expect(row.in_crm_at?.getTime()).toBeGreaterThan(row.arrived_at?.getTime() ?? Number.NaN)
    const eventAge = (row.arrived_at?.getTime() ?? 0) - (row.event_at?.getTime() ?? 0)
    expect(Math.round(eventAge / 60_000)).toBe(5)
    await theyAreTold(thread)
  })

  it('has nobody looked at but who was touched, and calls no CRM for who is not qualified', async () => {
    const thread = await openIngest({ origin })
    await thread.run()
    const before = {
      desire: await runsOf(thread, 'desire'),
      reconcile: await runsOf(thread, 'reconcile'),
    }
    const context = { traits: { email: WHO.quiet } }
    const call = { event: 'Query Run', userId: 's-jon', timestamp: ago(1), context }
    await thread.segment('track', call)
    const runs = await eventually('a look', async () => {
      const all = (await runsOf(thread, 'desire')).slice(before.desire.length)
      return all.some(({ counts }) => (counts as { changed?: number }).changed) ? all : undefined
    })
    for (const { counts } of runs) {
      // Jon and his account.
      expect((counts as { records: number }).records).toBeLessThanOrEqual(2)
    }
    expect(await runsOf(thread, 'reconcile')).toEqual(before.reconcile)
    // The sweep of a worker sends it.
    await thread.app.engine.wake(['reconcile'])
    await thread.app.engine.idle(['reconcile'])
    expect((await runsOf(thread, 'reconcile')).length).toBeGreaterThan(before.reconcile.length)
  })
})

describe('while many records are written', () => {
  it('who is qualified just now does not wait for them', async () => {
    const thread = await openIngest({ origin })
    await thread.run()
    const { db } = thread.app.context
    const { rows } = await sql<{ ref: string }>`
      update crm_record set state = 'pending', desired = desired || jsonb_build_object('pql_score',
        case when (written ->> 'pql_score')::int > 50 then 1 else 99 end)
      where ref = (select min(ref) from crm_record where object = 'contact' and state = 'in-sync')
      returning ref`.execute(db)
    const ref = rows[0]?.ref ?? ''
    const path = /contacts\/batch\/(update|upsert)$/
    thread.vendors.hubspot.faults.push({ path, delayMs: 15_000 })
    await thread.app.engine.request('reconcile', 'hubspot')
    const state = async () =>
      (await db.selectFrom('crm_record').select('state').where('ref', '=', ref).execute())[0]?.state
    await eventually('the others are on their way', async () => (await state()) === 'writing')
    await playTeam(thread)
    const isQualified = async () =>
      inPortal(thread).kim?.properties['pql_usage_status'] === 'qualified'
    await eventually('her fields', isQualified, 12_000)
    expect(await state()).toBe('writing')
    await thread.app.engine.idle(['reconcile'])
    expect(await state()).toBe('in-sync')
  }, 60_000)
})

describe('what is not counted', () => {
  it('is history, and what changes with time alone', async () => {
    const thread = await openIngest({ origin })
    await thread.run()
    const { db } = thread.app.context
    const refs = async () =>
      new Set((await db.selectFrom('freshness').select('ref').execute()).map(({ ref }) => ref))
    const veteran = await db
      .selectFrom('person')
      .select('id')
      .where('email', '=', WHO.veteran)
      .executeTakeFirstOrThrow()
    expect((await refs()).has(veteran.id)).toBe(false)
    const counted = await db.selectFrom('freshness_hour').selectAll().execute()
    thread.setNow(new Date(NOW.getTime() + 20 * 86_400_000))
    const looked = new Date()
    await thread.score()
    await thread.sync()
    const changed = await db
      .selectFrom('crm_record')
      .select('ref')
      .where('changed_at', '>', looked)
      .execute()
    expect(changed.length).toBeGreaterThan(0)
    expect(await db.selectFrom('freshness_hour').selectAll().execute()).toEqual(counted)
  })
})

describe('a CRM that nobody has connected', () => {
  it('has nothing due and no tasks, only what its records would say', async () => {
    const environment = { HUBSPOT_ACCESS_TOKEN: '' }
    const thread = await openIngest({ origin, environment, working: false })
    const { engine, context } = thread.app
    engine.start(STEPS, [])
    await thread.score()
    await playTeam(thread)
    await thread.settle('segment')
    await engine.idle(['desire'])
    const { db } = context
    const company = await db
      .selectFrom('crm_record as r')
      .innerJoin('account as a', 'a.id', 'r.ref')
      .select('r.desired')
      .where('a.domain', '=', DOMAIN)
      .executeTakeFirstOrThrow()
    expect(company.desired).toMatchObject({ pqa_usage_status: 'qualified' })
    expect(await db.selectFrom('freshness').selectAll().execute()).toEqual([])
    expect(await db.selectFrom('task_intent').selectAll().execute()).toEqual([])
    // What was noted by an earlier version counts for nothing either.
    await sql`insert into freshness (ref, crm, object, qualified, due_since)
      select ref, crm, object, true, now() - interval '2 days' from crm_record limit 1`.execute(db)
    expect(await readOpenDue(db, 900)).toHaveLength(1)
    expect(await freshnessFindings(context)).toEqual([])
    const metrics = await (await fetch(`${thread.server.url}/metrics`)).text()
    expect(metrics).not.toMatch(/ripen_freshness_(kept_ratio|oldest_seconds)\{/)
  })
})

/** What an operator sees of it. */
async function theyAreTold(thread: IngestThread): Promise<void> {
  const answer = await fetch(`${thread.server.url}/metrics`)
  const metrics = await answer.text()
  const labels = 'crm="hubspot",object="task",status="qualified",since="arrival"'
  const lines = metrics.split('\n').map((line) => line.replace(/\d+$/, 'n'))
  const name = 'ripen_freshness_seconds'
  expect(lines).toContain(`${name}_bucket{${labels},le="120"} n`)
  expect(lines).toContain(`${name}_bucket{${labels},le="+Inf"} n`)
  expect(lines).toContain(`${name}_count{${labels}} n`)
  expect(lines).toContain('ripen_freshness_kept_ratio{crm="hubspot"} n')
  const status = await thread.status()
  const freshness = await readFreshness(thread.app.context.db, objective, new Set(['hubspot']))
  const all = { ...status, freshness, sources: {}, alerts: [], notices: [], schemaChanges: [] }
  const text = describeStatus(all, new Date())
  expect(text).toMatch(/hubspot: 95 % in 15m over 24 h: 100 % of \d+ that are qualified, kept/)
  expect(text).toMatch(/task, qualified +\d+, half in \d+[sm], 95 % in \d+[sm]/)
}
