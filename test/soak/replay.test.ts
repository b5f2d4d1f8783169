import { afterAll, expect, it } from '@jest/globals'
import { sampleCompany } from '../../sandbox/company/sample-company.ts'
import { seedCrm } from '../../sandbox/company/seed-crm.ts'
import type { CrmObject } from '../../src/core/ports/crm.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { PolicyOracle } from '../support/policy-oracle.ts'
import { timesWritten } from '../support/portal.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread } from '../support/thread.ts'

const END = new Date('2026-09-01T00:00:00Z')
const DAY_MS = 86_400_000
const DAYS = 90
const OBJECTS = { contact: 'contacts', company: 'companies' } as const

afterAll(async () => {
  await closeThreads()
  await removeFolders()
})

const isAsked = process.env['RIPEN_TEST_REPLAY'] === '1'
if (!isAsked) {
  process.stdout.write(
    'skipped: ninety days of the sample company; it takes many minutes: set RIPEN_TEST_REPLAY=1\n',
  )
}
const whenAsked = isAsked ? it : it.skip

whenAsked(
  'ninety days of the sample company are written in as many property changes as there were, to the unit',
  async () => {
    const company = sampleCompany({ end: END, days: DAYS })
    const thread = await openThread({
      rows: company,
      now: new Date(END.getTime() + DAY_MS),
      start: new Date(END.getTime() - DAYS * DAY_MS).toISOString().slice(0, 10),
    })
    const { hubspot } = thread.vendors
    seedCrm(hubspot, company)
    await thread.pull()
    const { db } = thread.app.context
    const { objects } = (await readEffective(db)).set.crms.get('hubspot') ?? {}
    const oracles = new Map<string, { readonly oracle: PolicyOracle; readonly object: CrmObject }>()
    for (let day = DAYS; day >= 0; day--) {
      const now = new Date(END.getTime() - day * DAY_MS)
      thread.setNow(now)
      await thread.app.engine.request('score', 'all', { asOf: now.toISOString() })
      await thread.app.engine.idle(['score', 'desire'])
      await thread.sync()
      const rows = await db
        .selectFrom('crm_record')
        .select(['ref', 'object', 'desired', 'crm_id', 'created', 'state'])
        .execute()
      for (const { ref, object, desired, crm_id, created } of rows) {
        const rules = objects?.[object]
        if (crm_id === null || !rules) continue
        const wanted = desired as Record<string, unknown>
        const known = oracles.get(ref)
        const { oracle } = known ?? { oracle: new PolicyOracle(rules) }
        oracle.day(wanted, now.getTime(), known ? null : created ? 'made' : 'found')
        oracles.set(ref, { oracle, object })
      }
    }
    const ids = await db.selectFrom('crm_record').select(['ref', 'crm_id']).execute()
    const refs = new Map(ids.map(({ ref, crm_id }) => [ref, crm_id]))
    const wrong: string[] = []
    let writes = 0
    for (const [ref, { oracle, object }] of oracles) {
      const record = hubspot.records(OBJECTS[object]).find(({ id }) => id === refs.get(ref))
      for (const name of Object.keys(objects?.[object]?.properties ?? {})) {
        const [want, got] = [oracle.writes.get(name) ?? 0, timesWritten(record, name)]
        writes += got
        if (want !== got) wrong.push(`${ref} ${name}: ${got} writes for ${want} changes`)
      }
    }
    expect(wrong).toEqual([])
    expect(writes).toBeGreaterThan(5_000)
  },
  900_000,
)
