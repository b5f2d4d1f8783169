import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { pollChanges } from '../../jobs/steps/poll-changes.ts'
import type { Crm } from '../../src/core/ports/crm.ts'
import { storeDesired } from '../../src/infra/postgres/crm-record-store.ts'
import { readTraits } from '../../src/infra/postgres/trait-store.ts'
import { readWork } from '../../src/infra/postgres/work.ts'
import { removeFolders } from '../support/state.ts'
import {
  closeTraitsWorlds,
  hubspotMapping,
  openTraitsWorld,
  type TraitsWorld,
} from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const PORTAL = 4242424
const WITH_DEALS = hubspotMapping(['read-every: 1h', 'read-every: 1h\ndeals: {}'])
let world: TraitsWorld
let contactId = ''
let companyId = ''

beforeEach(async () => {
  world = await openTraitsWorld(NOW)
  await world.account('acc_a', 'acme.com')
  await world.person('per_ann', { account: 'acc_a', nodes: ['email/ann@acme.com'] })
  const ids = world.sandbox.seed({
    contacts: [{ email: 'ann@acme.com', pql_person_id: 'per_ann', jobtitle: 'Analyst' }],
    companies: [{ domain: 'acme.com', pqa_account_id: 'acc_a' }],
  })
  ;[contactId = '', companyId = ''] = [ids.contacts[0], ids.companies[0]]
  await world.link('per_ann', 'contact', contactId)
  await world.link('acc_a', 'company', companyId)
  // Following begins before everybody is read for the first time.
  await world.poll()
  await world.read()
  await world.touched()
  pass(1)
  await world.poll()
  world.sandbox.resetCalls()
})
afterEach(closeTraitsWorlds)
afterAll(removeFolders)

const pass = (minutes: number) => {
  world.now = new Date(world.now.getTime() + minutes * 60_000)
}
const paths = () => world.sandbox.calls().map(({ path }) => path.replace('/crm/v3/objects/', ''))
const SEARCHES = ['companies/search', 'contacts/search']
const title = async () =>
  (await readTraits(world.database.db, ['per_ann'], { asOf: world.now })).get('per_ann')?.[
    'job_title'
  ]
const record = async (ref = 'per_ann') =>
  world.database.db
    .selectFrom('crm_record')
    .select(['crm_id', 'state'])
    .where('ref', '=', ref)
    .executeTakeFirst()
const requested = async (step: 'reconcile' | 'forget', key: string) =>
  (await readWork(world.database.db, step, key))[0]?.requested ?? 0

/** One event as HubSpot delivers it. */
const event = (type: string, id: string, more: object = {}) =>
  JSON.stringify([{ subscriptionType: type, objectId: Number(id), portalId: PORTAL, ...more }])

describe('changes that are polled', () => {
  it('are read by the next minute, and only those', async () => {
    world.sandbox.edit('contacts', contactId, { jobtitle: 'CTO' })
    pass(0.5)
    expect(await world.poll()).toEqual({})
    expect(paths()).toEqual([])
    pass(0.5)
    expect(await world.poll()).toMatchObject({ changesMarked: 1, fieldsRead: 1, fieldsChanged: 1 })
    expect(await title()).toEqual(['CTO'])
    expect(await world.touched()).toEqual(['score acc_a', 'score per_ann'])
  })

  it('of which the CRM has forgotten some are taken for changes of every record', async () => {
    const { crm, database } = world
    const { signal } = new AbortController()
    const forgetful: Crm = {
      ...crm,
      changedSince: async (...asked) => ({ ...(await crm.changedSince(...asked)), lost: true }),
    }
    pass(1)
    const context = { db: database.db, clock: () => world.now }
    const run = { note: () => {}, count: () => {} }
    await pollChanges(context, forgetful, hubspotMapping(), signal, run)
    expect(await world.poll()).toMatchObject({ fieldsRead: 2, fieldsChanged: 0 })
  })

  it('that are all our own writes ask for nothing', async () => {
    const properties = { usage_note: 'ours' }
    const write = { ref: 'per_ann', key: 'per_ann', crmId: contactId, properties }
    const { signal } = new AbortController()
    for (let round = 0; round < 3; round++) {
      await world.crm.write(
        'contact',
        [{ ...write, properties: { usage_note: `${round}` } }],
        signal,
      )
      world.sandbox.resetCalls()
      pass(1)
      // It comes back, as do both for as long as the overlap lasts, and nothing is made of it.
      const { changesSeen = 0, ...counts } = await world.poll()
      expect(changesSeen).toBeGreaterThanOrEqual(1)
      expect(counts).toEqual({ changesMarked: 0 })
      expect(paths()).toEqual(SEARCHES)
    }
    expect(await world.touched()).toEqual([])
    expect(await requested('reconcile', 'hubspot')).toBe(0)
  })

  it('are followed to the end before they are asked for again', async () => {
    const people = Array.from({ length: 620 }, (_, n) => `per_${String(n).padStart(3, '0')}`)
    const ids = world.sandbox.seed({
      contacts: people.map((id) => ({ email: `${id}@acme.com`, pql_person_id: id })),
    })
    await world.linkNewcomers(people, ids.contacts)
    await world.read()
    for (const id of ids.contacts) world.sandbox.edit('contacts', id, { jobtitle: 'Founder' })
    pass(1)
    expect(await world.poll()).toMatchObject({ fieldsRead: 620, fieldsChanged: 620 })
    const cursors = await world.database.db.selectFrom('crm_cursor').selectAll().execute()
    expect(cursors.map(({ object, polled_at }) => [object, polled_at]).sort()).toEqual([
      ['company', world.now],
      ['contact', world.now],
    ])
  })

  it('begin anew when the mapping asks another question', async () => {
    const more = hubspotMapping(['job_title: jobtitle', 'town: city'])
    await world.poll(more)
    await world.read(more)
    world.sandbox.edit('contacts', contactId, { city: 'Utrecht' })
    pass(1)
    expect(await world.poll(more)).toMatchObject({ fieldsChanged: 1 })
    const asked = await world.database.db
      .selectFrom('crm_cursor')
      .select('asked')
      .where('object', '=', 'contact')
      .execute()
    expect(asked).toHaveLength(1)
  })

  it('that show a merged record by its key lead to the record that is left', async () => {
    const [other = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@old.example' }] }).contacts
    const merged = world.sandbox.merge('contacts', contactId, other)
    pass(1)
    await world.poll()
    expect(await record()).toEqual({ crm_id: merged, state: 'pending' })
    expect(await title()).toEqual(['Analyst'])
  })

  it('are not asked for when the mapping says never', async () => {
    const never = hubspotMapping(['read-every: 1h', 'read-every: 1h\npoll-every: never'])
    pass(60)
    expect(await world.poll(never)).toEqual({})
    expect(paths()).toEqual([])
  })
})

describe('webhooks', () => {
  it('have a changed record read at once, whatever value they tell', async () => {
    world.sandbox.edit('contacts', contactId, { jobtitle: 'CTO' })
    const change = { propertyName: 'jobtitle', propertyValue: 'Queen' }
    const counts = await world.hear([event('contact.propertyChange', contactId, change)])
    expect(counts).toMatchObject({ deliveries: 1, signals: 1, fieldsRead: 1, fieldsChanged: 1 })
    expect(await title()).toEqual(['CTO'])
  })

  it('that answer our own write, or are of properties that nobody reads, cost no call', async () => {
    await world.hear([])
    world.sandbox.resetCalls()
    const { db } = world.database
    const written = JSON.stringify({ pql_score: 70 })
    await db.updateTable('crm_record').set({ written }).where('ref', '=', 'per_ann').execute()
    const echo = { propertyName: 'pql_score', propertyValue: '70' }
    const other = { propertyName: 'fax', propertyValue: '1' }
    const bodies = [echo, other, echo].map((one) => event('contact.propertyChange', contactId, one))
    expect(await world.hear(bodies)).toMatchObject({ echoes: 2 })
    expect(paths().filter((path) => path !== '/account-info/v3/details')).toEqual([])
  })

  it('of another account and of unknown records change nothing', async () => {
    world.sandbox.edit('contacts', contactId, { jobtitle: 'CTO' })
    const theirs = { propertyName: 'jobtitle', portalId: 33 }
    const counts = await world.hear([
      event('contact.propertyChange', contactId, theirs),
      event('contact.privacyDeletion', contactId, { portalId: 33 }),
      event('contact.privacyDeletion', contactId, { portalId: undefined }),
      event('contact.deletion', '999'),
      'no JSON at all',
    ])
    expect(counts).toMatchObject({ deliveries: 5, signals: 1, signalsIgnored: 4 })
    expect(await title()).toEqual(['Analyst'])
    expect(await requested('forget', 'all')).toBe(0)
  })

  it('of a deletion unlink the record and have it looked for', async () => {
    world.sandbox.archive('contacts', contactId)
    await world.hear([event('contact.deletion', contactId)])
    expect(await record()).toEqual({ crm_id: null, state: 'pending' })
    expect(await title()).toBeUndefined()
    expect(await requested('reconcile', 'hubspot')).toBe(1)
  })

  it('of a deletion that is not true change nothing', async () => {
    await world.hear([event('contact.deletion', contactId)])
    expect(await record()).toEqual({ crm_id: contactId, state: 'in-sync' })
    expect(await title()).toEqual(['Analyst'])
  })

  it.each(['restored', 'created'] as const)(
    'of a record that was %s have it found',
    async (how) => {
      world.sandbox.archive('contacts', contactId)
      await world.hear([event('contact.deletion', contactId)])
      await world.database.db
        .updateTable('crm_record')
        .set({ state: 'unlinked', lookup: JSON.stringify({ emails: ['ann@acme.com'] }) })
        .where('ref', '=', 'per_ann')
        .execute()
      const before = await requested('reconcile', 'hubspot')
      if (how === 'restored') {
        world.sandbox.restore('contacts', contactId)
        await world.hear([event('contact.restore', contactId)])
      } else {
        const [id = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@acme.com' }] }).contacts
        const natural = hubspotMapping([
          'create: never',
          'create: never\n    on-create: { email: email }',
        ])
        await world.hear([event('contact.creation', id)], natural)
      }
      expect(await record()).toEqual({ crm_id: null, state: 'pending' })
      expect(await requested('reconcile', 'hubspot')).toBe(before + 1)
    },
  )

  it('of a merge are followed, the id that is left first or last', async () => {
    const [other = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@old.example' }] }).contacts
    const merged = world.sandbox.merge('contacts', contactId, other)
    const details = {
      primaryObjectId: Number(contactId),
      mergedObjectIds: [Number(other)],
      newObjectId: Number(merged),
    }
    await world.hear([event('contact.merge', contactId, details)])
    expect(await record()).toEqual({ crm_id: merged, state: 'pending' })
    const again = await world.hear([event('contact.merge', contactId, details)])
    expect(again).toMatchObject({ fieldsChanged: 0 })
    expect(await record()).toEqual({ crm_id: merged, state: 'pending' })
  })

  it('of an association have the company of the contact looked at', async () => {
    await world.database.db
      .insertInto('crm_contact_company')
      .values({ ref: 'per_ann', crm: 'hubspot', company_id: null, seen_at: NOW })
      .execute()
    const ends = { fromObjectId: Number(contactId), toObjectId: Number(companyId) }
    const more = { associationType: 'CONTACT_TO_COMPANY', objectId: undefined, ...ends }
    await world.hear([event('contact.associationChange', contactId, more)])
    const [row] = await world.database.db
      .selectFrom('crm_contact_company')
      .select('seen_at')
      .execute()
    expect(row?.seen_at.getTime()).toBe(0)
    expect(await requested('reconcile', 'hubspot')).toBe(1)
  })

  it('of a privacy deletion have the person forgotten, once, even after her record was seen gone', async () => {
    world.sandbox.erase(contactId)
    await world.hear([event('contact.deletion', contactId)])
    expect(await world.hear([event('contact.privacyDeletion', contactId)])).toMatchObject({
      forgotten: 1,
    })
    expect(await world.hear([event('contact.privacyDeletion', contactId)])).toMatchObject({
      forgotten: 0,
    })
    const receipts = await world.database.db.selectFrom('forget_receipt').select('id').execute()
    const hashes = await world.database.db.selectFrom('forgotten').select('hash').execute()
    expect([receipts.length, hashes.length]).toEqual([1, 1])
    expect(await requested('forget', 'all')).toBe(1)
  })

  it('of a privacy deletion keep everybody from making the record again meanwhile', async () => {
    const { db } = world.database
    world.sandbox.erase(contactId)
    await world.hear([event('contact.privacyDeletion', contactId)])
    const wanted = { object: 'contact', properties: { pql_score: 90 }, mayCreate: true } as const
    const others = { onCreate: {}, emails: ['ann@acme.com'], domains: [], companyRef: null }
    const record_ = {
      ref: 'per_ann',
      ...wanted,
      ...others,
      thorough: false,
      onLeave: null,
      urgent: false,
    }
    await db.transaction().execute((tx) => storeDesired(tx, 'hubspot', [record_]))
    expect(await record()).toBeUndefined()
    expect(await requested('reconcile', 'hubspot')).toBe(0)
  })

  it('of a privacy deletion name in the receipt what was made of her since the deletion', async () => {
    const { db } = world.database
    world.sandbox.archive('contacts', contactId)
    await world.hear([event('contact.deletion', contactId)])
    const [again = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@acme.com' }] }).contacts
    await db
      .updateTable('crm_record')
      .set({ crm_id: again, state: 'in-sync' })
      .where('ref', '=', 'per_ann')
      .execute()
    expect(await world.hear([event('contact.privacyDeletion', contactId)])).toMatchObject({
      forgotten: 1,
    })
    expect(await record()).toBeUndefined()
    const [receipt] = await db.selectFrom('forget_receipt').select('in_crm').execute()
    expect(receipt?.in_crm).toEqual([
      { crm: 'hubspot', object: 'contact', id: again, todo: 'erase' },
    ])
  })

  it.each(['first', 'last'] as const)(
    'of a privacy deletion after a merge forget the person, told %s',
    async (when) => {
      const [other = ''] = world.sandbox.seed({ contacts: [{ email: 'ann@old.example' }] }).contacts
      const merged = world.sandbox.merge('contacts', contactId, other)
      world.sandbox.erase(merged)
      const details = { primaryObjectId: Number(contactId), newObjectId: Number(merged) }
      const merge = event('contact.merge', contactId, {
        ...details,
        mergedObjectIds: [Number(other)],
      })
      const erasure = event('contact.privacyDeletion', merged)
      for (const body of when === 'first' ? [erasure, merge] : [merge, erasure]) {
        await world.hear([body])
      }
      const receipts = await world.database.db.selectFrom('forget_receipt').select('id').execute()
      expect(receipts).toHaveLength(1)
      expect(await record()).toBeUndefined()
    },
  )

  it('of a deal have the deals of its records read at once, and of one that is put on a record', async () => {
    const { db } = world.database
    const looks = ['per_ann', 'acc_a'].map((ref) => ({
      ref,
      crm: 'hubspot',
      what: 'deals' as const,
    }))
    const ids = [contactId, companyId]
    const rows = looks.map((look, n) => ({ ...look, crm_id: ids[n] ?? '', looked_at: NOW }))
    const looked = async (bodies: readonly string[], mapping = WITH_DEALS) => {
      await db.deleteFrom('crm_look').execute()
      await db.insertInto('crm_look').values(rows).execute()
      const before = await requested('reconcile', 'hubspot')
      await world.hear(bodies, mapping)
      const due = await db
        .selectFrom('crm_look')
        .select('ref')
        .where('looked_at', '<', NOW)
        .orderBy('ref')
        .execute()
      return [...due.map(({ ref }) => ref), (await requested('reconcile', 'hubspot')) - before]
    }
    await db
      .insertInto('crm_deal_record')
      .values({ ref: 'acc_a', crm: 'hubspot', deal_id: '5' })
      .execute()
    const change = event('deal.propertyChange', '5', { propertyName: 'dealstage' })
    expect(await looked([change])).toEqual(['acc_a', 1])
    expect(await looked([change], hubspotMapping())).toEqual([0])
    expect(await looked([event('deal.propertyChange', '6', { propertyName: 'amount' })])).toEqual([
      0,
    ])
    const ends = { fromObjectId: 6, toObjectId: Number(contactId) }
    const more = { associationType: 'DEAL_TO_CONTACT', objectId: undefined, ...ends }
    expect(await looked([event('deal.associationChange', '6', more)])).toEqual(['per_ann', 1])
  })

  it('of a task of ours have it read at once', async () => {
    const { db } = world.database
    const task = { crm: 'hubspot', account_ref: 'acc_a', marker: 'RPN-1', task: '{}' }
    await db
      .insertInto('task_intent')
      .values({ ...task, key: 'k', state: 'created', crm_task_id: '77', read_at: NOW })
      .execute()
    const readAt = async () =>
      (await db.selectFrom('task_intent').select('read_at').executeTakeFirst())?.read_at
    await world.hear([event('object.propertyChange', '78', { objectTypeId: '0-27' })])
    expect([await readAt(), await requested('reconcile', 'hubspot')]).toEqual([NOW, 0])
    await world.hear([event('object.propertyChange', '77', { objectTypeId: '0-27' })])
    expect([await readAt(), await requested('reconcile', 'hubspot')]).toEqual([null, 1])
  })

  it.each(['told', 'polled'] as const)('of another owner, %s, are noted', async (how) => {
    const { db } = world.database
    world.sandbox.edit('contacts', contactId, { hubspot_owner_id: '41000002' })
    const change = { propertyName: 'hubspot_owner_id', propertyValue: '1' }
    pass(1)
    if (how === 'told') await world.hear([event('contact.propertyChange', contactId, change)])
    else await world.poll()
    const row = await db
      .selectFrom('crm_record')
      .select('owner_id')
      .where('ref', '=', 'per_ann')
      .executeTakeFirst()
    expect(row).toEqual({ owner_id: '41000002' })
  })
})

describe('what is read twice at once', () => {
  it('keeps the newer answer, and what was told meanwhile is read again', async () => {
    const { db } = world.database
    const marked = await db
      .updateTable('crm_read')
      .set({ stale: 3 })
      .where('ref', '=', 'per_ann')
      .returning('reads')
      .executeTakeFirst()
    // Another signal comes while the record is read.
    const { sandbox } = world
    const original = world.crm.read.bind(world.crm)
    const slow: TraitsWorld['crm'] = {
      ...world.crm,
      read: async (...asked) => {
        const answer = await original(...asked)
        sandbox.edit('contacts', contactId, { jobtitle: 'CTO' })
        await db
          .updateTable('crm_read')
          .set((e) => ({ stale: e('stale', '+', 1) }))
          .execute()
        return answer
      },
    }
    await world.with(slow).hear([])
    const [after] = await db
      .selectFrom('crm_read')
      .select(['stale', 'reads'])
      .where('ref', '=', 'per_ann')
      .execute()
    expect(after).toEqual({ stale: 1, reads: (marked?.reads ?? 0) + 1 })
    expect(await title()).toEqual(['Analyst'])
    await world.hear([])
    expect(await title()).toEqual(['CTO'])
  })
})
