import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { type CrmWorld, closeCrmWorlds, openCrmWorld, said } from '../support/crm-world.ts'
import { removeFolders } from '../support/state.ts'

afterEach(closeCrmWorlds)
afterAll(removeFolders)

const DOMAIN = 'acc-a.example'
const scoreOf = (world: CrmWorld, id: string) => said(world, 'company').get(id)?.['score']

/** Three companies of one domain, a minute apart; the second has an owner. */
async function openSeveral() {
  let now = Date.parse('2026-11-01T10:00:00Z')
  const world = await openCrmWorld({ now: () => now })
  const ids: string[] = []
  for (const more of [{}, { hubspot_owner_id: '41000001' }, {}]) {
    now += 60_000
    ids.push(...world.sandbox.seed({ companies: [{ domain: DOMAIN, ...more }] }).companies)
  }
  await world.want('company', 'acc_a')
  return { world, ids }
}

describe('several records that could be meant', () => {
  it.each([
    { several: 'oldest', index: 0 },
    { several: 'newest', index: 2 },
    { several: 'with-owner', index: 1 },
  ] as const)('are settled by policy and told: $several', async ({ several, index }) => {
    const { world, ids } = await openSeveral()
    const rules = world.rules('company', { match: { several } })
    const { counts, entries } = await world.reconcile('company', rules)
    expect(counts).toEqual({ several: 1, written: 1 })
    expect(ids.map((id) => scoreOf(world, id) ?? null)).toEqual(
      ids.map((_, i) => (i === index ? '70' : null)),
    )
    expect(entries).toMatchObject([{ ref: 'acc_a', outcome: 'several' }])
    for (const id of ids) expect(entries[0]?.reason).toContain(id)
    expect(entries[0]?.reason).toContain(`took ${ids[index]} (${several})`)
    const row = await world.database.db
      .selectFrom('crm_record')
      .select('candidates')
      .executeTakeFirst()
    expect([...(row?.candidates ?? [])].sort()).toEqual([...ids].sort())
  })

  it('wait for a person who is asked, by their ids, and nothing is written or created', async () => {
    const { world, ids } = await openSeveral()
    const ask = world.rules('company', { match: { several: 'ask' } })
    const { entries } = await world.reconcile('company', ask)
    expect(await world.row('acc_a')).toMatchObject({ state: 'parked', crm_id: null })
    expect(entries).toMatchObject([{ ref: 'acc_a', outcome: 'parked' }])
    for (const id of ids) expect((await world.row('acc_a')).reason).toContain(id)
    expect(world.sandbox.calls().filter(({ kind }) => kind === 'write')).toEqual([])
    // The person merged two and put the third away.
    const [a = '', b = '', c = ''] = ids
    const merged = world.sandbox.merge('companies', a, b)
    world.sandbox.archive('companies', c)
    await world.want('company', 'acc_a')
    await world.reconcile('company', ask)
    expect(await world.row('acc_a')).toMatchObject({ state: 'in-sync', crm_id: merged })
  })
})

describe('a company with several domains', () => {
  it('is found by one that it got from a merge, and not made again', async () => {
    const world = await openCrmWorld()
    const { companies } = world.sandbox.seed({
      companies: [{ domain: 'old-name.example' }, { domain: DOMAIN }],
    })
    const merged = world.sandbox.merge('companies', companies[0] ?? '', companies[1] ?? '')
    await world.want('company', 'acc_a')
    expect((await world.reconcile('company')).counts).toEqual({ written: 1 })
    expect(await world.row('acc_a')).toMatchObject({ crm_id: merged, created: false })
  })

  it.each([
    { order: 'first', primary: 0 },
    { order: 'second', primary: 1 },
  ])('is one of two accounts for good when theirs are merged into the $order', async (given) => {
    const world = await openCrmWorld()
    const refs = ['acc_a', 'acc_b']
    for (const ref of refs) await world.want('company', ref)
    await world.reconcile('company')
    const ids = await Promise.all(refs.map(async (ref) => (await world.row(ref)).crm_id ?? ''))
    const kept = refs[given.primary] ?? ''
    const [into = '', gone = ''] = given.primary === 0 ? ids : [...ids].reverse()
    const merged = world.sandbox.merge('companies', into, gone)
    for (const score of [80, 81, 82]) {
      for (const [index, ref] of refs.entries()) {
        await world.want('company', ref, { properties: { score: score - 50 * index, grade: 'B' } })
      }
      await world.reconcile('company')
      const wantedScore = score - 50 * given.primary
      expect(scoreOf(world, merged)).toBe(String(wantedScore))
    }
    const other = refs[1 - given.primary] ?? ''
    expect(await world.row(kept)).toMatchObject({ state: 'in-sync', crm_id: merged })
    expect(await world.row(other)).toMatchObject({ state: 'parked', crm_id: null })
    expect((await world.row(other)).reason).toContain(kept)
    // Written once for each change, never to and fro.
    const [record] = world.sandbox.records('companies').filter(({ id }) => id === merged)
    expect(record?.history['score']?.map(({ to }) => to)).toHaveLength(4)
    expect(said(world, 'company').size).toBe(1)
  })

  it('belongs to the account whose key it has, whoever comes first', async () => {
    const world = await openCrmWorld()
    const { companies } = world.sandbox.seed({
      companies: [{ domain: 'acc-b.example', pqa_account_id: 'acc_b' }, { domain: DOMAIN }],
    })
    const merged = world.sandbox.merge('companies', companies[0] ?? '', companies[1] ?? '')
    await world.want('company', 'acc_a')
    await world.want('company', 'acc_b')
    await world.reconcile('company')
    expect(await world.row('acc_b')).toMatchObject({ state: 'in-sync', crm_id: merged })
    expect(await world.row('acc_a')).toMatchObject({ state: 'parked' })
  })

  it('is taken although it has a key, when that is nobody of ours any more', async () => {
    const world = await openCrmWorld()
    const [id] = world.sandbox.seed({
      companies: [{ domain: DOMAIN, pqa_account_id: 'acc_forgotten' }],
    }).companies
    await world.want('company', 'acc_a')
    await world.reconcile('company')
    expect(await world.row('acc_a')).toMatchObject({ state: 'in-sync', crm_id: id })
    expect(said(world, 'company').get(id ?? '')).toMatchObject({ pqa_account_id: 'acc_a' })
  })
})

describe('a company that HubSpot made by itself', () => {
  it('is adopted although search does not know it yet, and no second one is made', async () => {
    const world = await openCrmWorld({ autoCreateCompanies: true, searchLagMs: 3_600_000 })
    // A form makes the contact; HubSpot makes its company.
    world.sandbox.seed({ contacts: [{ email: `ann@${DOMAIN}` }] })
    const [made] = said(world, 'company').keys()
    await world.want('contact', 'per_ann', { emails: [`ann@${DOMAIN}`], companyRef: 'acc_a' })
    await world.want('company', 'acc_a')
    expect((await world.reconcile('company')).counts).toEqual({ adopted: 1, written: 1 })
    expect([...said(world, 'company').keys()]).toEqual([made])
    expect(await world.row('acc_a')).toMatchObject({ crm_id: made, created: false })
  })

  it('is ours when ours was there first', async () => {
    const world = await openCrmWorld({ autoCreateCompanies: true, searchLagMs: 3_600_000 })
    await world.want('company', 'acc_a')
    await world.want('contact', 'per_ann', {
      emails: [`ann@${DOMAIN}`],
      onCreate: { email: `ann@${DOMAIN}` },
      companyRef: 'acc_a',
    })
    await world.reconcile('company')
    await world.reconcile('contact')
    expect(said(world, 'company').size).toBe(1)
    expect(await world.row('acc_a')).toMatchObject({ state: 'in-sync', created: true })
  })

  it('is not taken for a company of another domain', async () => {
    const world = await openCrmWorld({ autoCreateCompanies: true })
    world.sandbox.seed({ contacts: [{ email: 'ann@elsewhere.example' }] })
    await world.want('contact', 'per_ann', {
      emails: ['ann@elsewhere.example'],
      companyRef: 'acc_a',
    })
    await world.want('company', 'acc_a')
    await world.reconcile('company')
    expect(said(world, 'company').size).toBe(2)
  })
})

describe('two people who are one contact', () => {
  it('are told from each other by the first, in whatever slices they come', async () => {
    const world = await openCrmWorld()
    const seeded = world.sandbox.seed({
      contacts: [{ email: 'one@acme.example' }, { email: 'two@acme.example' }],
    })
    world.sandbox.merge('contacts', seeded.contacts[0] ?? '', seeded.contacts[1] ?? '')
    await world.want('contact', 'per_1', { emails: ['one@acme.example'] })
    await world.want('contact', 'per_2', { emails: ['two@acme.example'] })
    expect((await world.reconcile('contact')).counts).toEqual({ written: 1, parked: 1 })
    expect(await world.row('per_1')).toMatchObject({ state: 'in-sync' })
    expect((await world.row('per_2')).reason).toContain('per_1')
  })
})
