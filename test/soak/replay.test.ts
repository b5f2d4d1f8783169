import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { writeCompanyFiles } from '../../sandbox/company/company-files.ts'
import { type SampleCompany, sampleCompany } from '../../sandbox/company/sample-company.ts'
import { seedCrm } from '../../sandbox/company/seed-crm.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { PolicyOracle } from '../support/policy-oracle.ts'
import { PropertyWrites } from '../support/property-writes.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread, type Thread } from '../support/thread.ts'

const END = new Date('2026-09-01T00:00:00Z')
const DAY_MS = 86_400_000
const DAYS = 90
/** Share of the sample company's background; its stories are whole. */
const SIZE = 0.05

afterAll(async () => {
  await closeThreads()
  await removeFolders()
})

/** What a record should say at a moment when it was settled, oldest first. */
interface Settled {
  readonly seq: number
  readonly ref: string
  readonly object: CrmObject
  readonly desired: Readonly<Record<string, unknown>>
  readonly isCreated: boolean
}

/** The database itself notes what each record should say whenever it is settled: within a day that may be twice. */
async function keepSettled(db: Db): Promise<void> {
  await sql`create table settled (seq bigserial primary key, ref text, object text, desired jsonb, is_created boolean)`.execute(
    db,
  )
  await sql`create function note_settled() returns trigger language plpgsql as $$ begin
    insert into settled (ref, object, desired, is_created)
      values (new.ref, new.object, new.desired, new.created);
    return null; end $$`.execute(db)
  await sql`create trigger settled after insert or update on crm_record for each row
    when (new.crm_id is not null and new.state = 'in-sync') execute function note_settled()`.execute(
    db,
  )
}

async function settledAfter(db: Db, seq: number): Promise<readonly Settled[]> {
  const { rows } = await sql<Settled>`
    select seq::int, ref, object, desired, is_created as "isCreated" from settled
    where seq > ${seq} order by seq`.execute(db)
  return rows
}

/** All that was ever used lies there; what counts is what had happened by the day. */
async function pullAll(thread: Thread, company: SampleCompany): Promise<void> {
  const files = await writeCompanyFiles(company, await mkdtemp(join(tmpdir(), 'ripen-replay-')))
  for (const source of ['amplitude', 'mixpanel'] as const) {
    await thread.pull([source], [files[source]])
  }
}

it('ninety days of the sample company are written in as many property changes as there were, to the unit', async () => {
  let now = new Date(END.getTime() + DAY_MS)
  const writes = new PropertyWrites()
  const company = sampleCompany({ end: END, days: DAYS, size: SIZE })
  const thread = await openThread({
    rows: company,
    now,
    hubspot: { now: () => now.getTime() },
    beforeHubspot: writes.handlers,
  })
  const { engine, context } = thread.app
  const { db } = context
  await pullAll(thread, company)
  now = new Date(END.getTime() - DAYS * DAY_MS)
  seedCrm(thread.vendors.hubspot, company)
  await keepSettled(db)
  const { objects } = (await readEffective(db)).set.crms.get('hubspot') ?? {}
  const oracles = new Map<string, PolicyOracle>()
  const kinds = new Map<string, CrmObject>()
  let seq = 0
  for (let day = DAYS; day >= 0; day--) {
    now = new Date(END.getTime() - day * DAY_MS)
    thread.setNow(now)
    await engine.request('score', 'all', { asOf: now.toISOString() })
    await engine.idle(['score', 'desire'])
    await engine.idle(['reconcile'], ['hubspot'])
    // What the CRM said is scored and written on the same day.
    await engine.idle(['identity', 'score', 'desire'])
    await engine.idle(['reconcile'], ['hubspot'])
    for (const settled of await settledAfter(db, seq)) {
      const { ref, object, desired, isCreated } = settled
      const rules = objects?.[object]
      if (!rules) throw new Error(`no rules for ${object}`)
      const known = oracles.get(ref)
      const oracle = known ?? new PolicyOracle(rules)
      oracle.day(desired, now.getTime(), known ? null : isCreated ? 'made' : 'found')
      oracles.set(ref, oracle)
      kinds.set(ref, object)
      seq = settled.seq
    }
  }
  const rows = await db.selectFrom('crm_record').select(['ref', 'crm_id', 'state']).execute()
  expect(rows.filter(({ state, crm_id }) => crm_id !== null && state !== 'in-sync')).toEqual([])
  const ids = new Map(rows.map(({ ref, crm_id }) => [ref, crm_id ?? '']))
  const wrong: string[] = []
  const total = { writes: 0, changes: 0 }
  for (const [ref, oracle] of oracles) {
    const properties = Object.keys(objects?.[kinds.get(ref) ?? 'contact']?.properties ?? {})
    for (const name of properties) {
      const changes = oracle.writes.get(name) ?? 0
      const written = writes.of([ref, ids.get(ref) ?? ''], name)
      total.writes += written
      total.changes += changes
      if (changes !== written)
        wrong.push(`${ref} ${name}: ${written} writes for ${changes} changes`)
    }
  }
  process.stdout.write(
    `${total.writes} writes for ${total.changes} changes of ${oracles.size} records\n`,
  )
  expect(wrong).toEqual([])
  expect(total.writes).toBe(total.changes)
  expect(total.writes).toBeGreaterThan(4_000)
}, 400_000)
