import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { withLock } from '../../src/infra/postgres/lock.ts'
import { claimRecords, withLeases } from '../../src/infra/postgres/record-leases.ts'
import { STEPS, workLock } from '../../src/infra/postgres/work.ts'
import { type CrmWorld, closeCrmWorlds, openCrmWorld, said, wanted } from '../support/crm-world.ts'
import { eventually } from '../support/embedded-processes.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread } from '../support/thread.ts'

const PROCESS = join(import.meta.dirname, '../support/lease-process.ts')
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await closeThreads()
  await closeCrmWorlds()
})
afterAll(removeFolders)

type Counts = Readonly<Record<string, number>>

const refsOf = (n: number) =>
  Array.from({ length: n }, (_, i) => `per_${String(i).padStart(5, '0')}`)
const writesOf = ({ sandbox }: CrmWorld) =>
  sandbox.calls().filter(({ path }) => /contacts\/batch\/(upsert|update|create)$/.test(path)).length
const states = async ({ database: { db } }: CrmWorld) => {
  const rows = await db.selectFrom('crm_record').select('state').distinct().execute()
  return rows.map(({ state }) => state)
}
const leases = async ({ database: { db } }: Pick<CrmWorld, 'database'>) => {
  const { rows } = await sql`select ref from crm_lease union all select ref from crm_claim`.execute(
    db,
  )
  return rows.length
}

describe('two workers side by side', () => {
  it('share the records of a CRM, write each once, and fill their batches', async () => {
    const world = await openCrmWorld({ latencyMs: 5 })
    const people = 6_500
    await world.wantAll(refsOf(people).map((ref) => wanted('contact', ref)))
    const done = await Promise.all([world.reconcile('contact'), world.reconcile('contact')])
    const made = done.map(({ counts }) => counts['created'] ?? 0)
    expect(made.reduce((a, b) => a + b)).toBe(people)
    expect(Math.min(...made)).toBeGreaterThan(0)
    expect(said(world, 'contact').size).toBe(people)
    // The last batch of each may be part of one.
    expect(writesOf(world)).toBeLessThanOrEqual(people / 100 + 1)
    expect(await states(world)).toEqual(['in-sync'])
    expect(await leases(world)).toBe(0)
  }, 120_000)

  it('never take one CRM record for two people: who is late waits until the other one is done', async () => {
    const world = await openCrmWorld()
    world.sandbox.seed({ contacts: [{ email: 'kim@acme.example' }] })
    const [kim] = [...said(world, 'contact').keys()]
    const emails = ['kim@acme.example']
    await world.want('contact', 'per_b', { emails })
    await withLeases(world.database, 'hubspot', async (holder) => {
      const claim = { ref: 'per_a', crmId: kim ?? '' }
      await claimRecords(world.database.db, holder, 'contact', [claim])
      await world.reconcile('contact')
      expect(await world.row('per_b')).toMatchObject({ state: 'pending', written: null })
      expect(writesOf(world)).toBe(0)
    })
    await world.reconcile('contact')
    expect(await world.row('per_b')).toMatchObject({ state: 'in-sync', crm_id: kim })
  })
})

describe('a worker that is killed', () => {
  it('has kept others from its records until then, and from no others; then they are taken over', async () => {
    const world = await openCrmWorld()
    await world.wantAll(refsOf(100).map((ref) => wanted('contact', ref)))
    const env = { PATH: process.env['PATH'], DATABASE_URL: world.databaseUrl }
    const child = fork(PROCESS, { env })
    children.push(child)
    const [held] = (await once(child, 'message')) as [readonly string[]]
    expect(held).toEqual(refsOf(40))
    const reconciling = world.reconcile('contact')
    await eventually('the others are written', async () => said(world, 'contact').size === 60)
    for (const ref of held) expect(await world.row(ref)).toMatchObject({ state: 'pending' })
    child.kill('SIGKILL')
    await reconciling
    expect(said(world, 'contact').size).toBe(100)
    expect(await states(world)).toEqual(['in-sync'])
    expect(await leases(world)).toBe(0)
  }, 60_000)
})

describe('a worker that finds the reconciling of a CRM taken', () => {
  it('writes what the other one has not taken yet, and leaves the rest of the run to it', async () => {
    const thread = await openThread()
    await thread.run()
    const { context } = thread.app
    const colleague = await thread.colleague()
    colleague.engine.start(STEPS, ['hubspot'])
    const open = async () => {
      const rows = await context.db.selectFrom('crm_record').select('state').execute()
      return rows.filter(({ state }) => state === 'pending' || state === 'writing').length
    }
    const assisted = () =>
      context.db.selectFrom('run').select('counts').where('outcome', '=', 'assisted').execute()
    await withLock(context.pool, workLock('reconcile', 'hubspot'), () =>
      withLeases(context, 'hubspot', async ({ id }) => {
        await sql`insert into crm_lease values ('somebody', 'hubspot', ${id}, 0)`.execute(
          context.db,
        )
        await sql`update crm_record set state = 'pending', desired = desired || jsonb_build_object(
            'pql_score', case when (written ->> 'pql_score')::int > 50 then 1 else 99 end)
          where object = 'contact' and state = 'in-sync'`.execute(context.db)
        await thread.app.engine.request('reconcile', 'hubspot')
        await eventually('others have written', async () => (await open()) === 0)
        await eventually('what was written is told', async () =>
          (await assisted()).some(({ counts }) => ((counts as Counts)['written'] ?? 0) > 0),
        )
        const [work] = await context.db
          .selectFrom('work')
          .select(['requested', 'done'])
          .where('step', '=', 'reconcile')
          .execute()
        expect(work?.requested).toBeGreaterThan(work?.done ?? Number.NaN)
      }),
    )
    await thread.sync()
  }, 60_000)
})
