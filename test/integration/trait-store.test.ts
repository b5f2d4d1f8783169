import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { carryRecordsOn } from '../../jobs/steps/carry-records.ts'
import type { IdentityFact } from '../../src/core/identity/people.ts'
import { resolvePeople } from '../../src/core/identity/people.ts'
import type { Telling } from '../../src/core/scoring/dated-traits.ts'
import { addHashes, readForgotten } from '../../src/infra/postgres/forget-store.ts'
import { storePeople } from '../../src/infra/postgres/people-store.ts'
import {
  findForgotten,
  removePeople,
  removeTraits,
} from '../../src/infra/postgres/remove-person.ts'
import { readSalesStates } from '../../src/infra/postgres/sales-store.ts'
import {
  readToldTraits,
  readTraits,
  storeSeenTraits,
} from '../../src/infra/postgres/trait-store.ts'
import { removeFolders } from '../support/state.ts'
import { closeTraitsWorlds, openTraitsWorld, type TraitsWorld } from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const DAY_MS = 86_400_000
const day = (n: number) => new Date(NOW.getTime() + n * DAY_MS)
let world: TraitsWorld
beforeEach(async () => {
  world = await openTraitsWorld(NOW)
})
afterEach(closeTraitsWorlds)
afterAll(removeFolders)

const transact: TraitsWorld['database']['db']['transaction'] = () => world.database.db.transaction()
const crmSays = (about: string, values: Record<string, string | null>, at = NOW) =>
  transact().execute((tx) => storeSeenTraits(tx, 'hubspot', [{ about, values }], at))
const fileSays = (about: string, name: string, value: string) =>
  world.database.db
    .insertInto('trait')
    .values({ about, name, value, origin: 'csv/people', told_at: NOW, recorded_at: NOW })
    .execute()
const traitsOf = async (id: string, asOf = day(50)) =>
  (await readTraits(world.database.db, [id], { asOf })).get(id)
const telling = (value: string, first: number, last: number): Telling => [
  value,
  day(first).getTime(),
  day(last).getTime(),
]

/** Facts as the lake tells them: `<profile> <kind> <value>`, on one day. */
const facts = (...texts: readonly string[]): IdentityFact[] =>
  texts.map((text) => {
    const [profile = '', kind = '', value = ''] = text.split(' ')
    return { source: 'amplitude', profile, kind, value, firstAt: NOW, lastAt: NOW }
  })

/** Joins people anew, as the step `identity` does. */
async function identify(...texts: readonly string[]): Promise<void> {
  const { db } = world.database
  const rows = await db.selectFrom('identity_node').selectAll().execute()
  const known = new Map(rows.map((row) => [row.node, row.person_id]))
  const resolved = resolvePeople(facts(...texts), known, (node) => `per ${node}`)
  const nobody = { of: new Map(), ids: new Map() }
  await transact().execute(async (tx) => {
    await storePeople(tx, resolved, nobody, known)
    const heirs = resolved.aliases.map(({ id, personId }) => ({ id, heir: personId }))
    await carryRecordsOn(tx, heirs)
  })
}

describe('traits of people and accounts', () => {
  it('are those of the moment that is asked about, a person before her account', async () => {
    await world.account('acc_a', 'acme.com')
    const plan = [telling('trial', -30, -10), telling('pro', -10, 5)]
    await world.person('per_ann', { account: 'acc_a', told: { plan } })
    await crmSays('per_ann', { country: 'NL' })
    await crmSays('acc_a', { country: 'US', industry: 'RETAIL' })
    const asOf = day(1)
    const all = await readTraits(world.database.db, null, { asOf })
    const email_kind = ['business']
    const ann = { plan: ['pro'], country: ['NL'], industry: ['RETAIL'], email_kind }
    expect(Object.fromEntries(all)).toEqual({
      per_ann: ann,
      acc_a: { country: ['US'], industry: ['RETAIL'] },
    })
    expect(await readTraits(world.database.db, ['per_ann'], { asOf })).toEqual(
      new Map([['per_ann', ann]]),
    )
    expect(await readTraits(world.database.db, ['acc_a'], { asOf })).toEqual(
      new Map([['acc_a', { country: ['US'], industry: ['RETAIL'] }]]),
    )
    expect(await traitsOf('per_ann', day(-20))).toEqual({ plan: ['trial'], email_kind })
    expect(await traitsOf('per_ann', day(-30))).toEqual({ email_kind })
  })

  it('are told with their dates and what says them', async () => {
    const plan = [telling('trial', -30, -10), telling('pro', -10, 5)]
    await world.person('per_ann', { told: { plan }, nodes: ['email/ann@acme.com'] })
    await crmSays('per_ann', { title: 'Analyst' })
    await crmSays('per_ann', { title: 'Founder' }, day(2))
    await fileSays('email/ann@acme.com', 'team', 'Data')
    const at = (n: number) => day(n).toISOString()
    const told = await readToldTraits(world.database.db, 'per_ann')
    expect(told).toEqual([
      {
        name: 'plan',
        value: 'pro',
        origin: 'usage',
        firstAt: at(-10),
        lastAt: at(5),
        endedAt: null,
      },
      {
        name: 'plan',
        value: 'trial',
        origin: 'usage',
        firstAt: at(-30),
        lastAt: at(-10),
        endedAt: null,
      },
      {
        name: 'team',
        value: 'Data',
        origin: 'csv/people',
        firstAt: at(0),
        lastAt: at(0),
        endedAt: null,
      },
      {
        name: 'title',
        value: 'Founder',
        origin: 'hubspot',
        firstAt: at(2),
        lastAt: at(2),
        endedAt: null,
      },
      {
        name: 'title',
        value: 'Analyst',
        origin: 'hubspot',
        firstAt: at(0),
        lastAt: at(0),
        endedAt: at(2),
      },
    ])
  })
})

describe('when people are joined and parted', () => {
  const ANN = ['u:ann email ann@acme.com', 'u:ann trait:plan pro']
  const PHONE = ['d:phone trait:role admin', 'd:phone seen']

  it('traits go with those who are joined, and back with those who are parted', async () => {
    await identify(...ANN, ...PHONE)
    await fileSays('amplitude/d:phone', 'team', 'Data')
    await fileSays('email/ann@acme.com', 'seniority', 'Lead')
    const [ann, phone] = ['per amplitude/u:ann', 'per amplitude/d:phone']
    const kinds = { ann: ['business'], phone: ['none'] }
    expect(await traitsOf(phone)).toEqual({
      role: ['admin'],
      team: ['Data'],
      email_kind: kinds.phone,
    })
    await identify(...ANN, ...PHONE, 'u:ann link d:phone')
    const both = {
      ...{ plan: ['pro'], role: ['admin'], team: ['Data'], seniority: ['Lead'] },
      email_kind: kinds.ann,
    }
    expect(await traitsOf(ann)).toEqual(both)
    expect(await traitsOf(phone)).toBeUndefined()
    await identify(...ANN, ...PHONE)
    expect(await traitsOf(ann)).toEqual({
      plan: ['pro'],
      seniority: ['Lead'],
      email_kind: kinds.ann,
    })
    const parted = (await world.database.db.selectFrom('person').select('id').execute())
      .map(({ id }) => id)
      .filter((id) => id !== ann)
    expect(await traitsOf(parted[0] ?? '')).toMatchObject({ role: ['admin'], team: ['Data'] })
  })

  it('what a CRM says goes with its record to the one who stands for both', async () => {
    await identify(...ANN, ...PHONE)
    const [ann, phone] = ['per amplitude/u:ann', 'per amplitude/d:phone']
    await world.link(phone, 'contact', '71')
    await crmSays(phone, { title: 'Analyst' })
    const sales = { about: phone, source: 'hubspot', status: 'rejected', since: NOW, scores: '{}' }
    await world.database.db.insertInto('sales_state').values(sales).execute()
    await identify(...ANN, ...PHONE, 'u:ann link d:phone')
    expect(await traitsOf(ann)).toMatchObject({ title: ['Analyst'] })
    expect((await readSalesStates(world.database.db, [ann])).get(ann)).toMatchObject({
      status: 'rejected',
      since: NOW.getTime(),
    })
    // The record says the same under its new name: nothing has changed.
    expect(await crmSays(ann, { title: 'Analyst' }, day(1))).toEqual([])
  })

  it('two records of one person both speak: what was said last counts', async () => {
    await identify(...ANN, ...PHONE)
    const [ann, phone] = ['per amplitude/u:ann', 'per amplitude/d:phone']
    await world.link(ann, 'contact', '70')
    await world.link(phone, 'contact', '71')
    await crmSays(ann, { title: 'Analyst', city: 'Bonn' })
    await crmSays(phone, { title: 'Founder' }, day(1))
    await identify(...ANN, ...PHONE, 'u:ann link d:phone')
    expect(await traitsOf(ann)).toMatchObject({ title: ['Founder'], city: ['Bonn'] })
    await crmSays(phone, { title: null }, day(2))
    expect(await traitsOf(ann)).toMatchObject({ title: ['Analyst'] })
  })

  it('what was said of an account goes with its record to the account that has its domain', async () => {
    await world.account('acc_old', 'acme.com')
    await world.account('acc_new', 'acme.de')
    await world.link('acc_old', 'company', '90')
    await crmSays('acc_old', { industry: 'RETAIL' })
    await transact().execute((tx) => carryRecordsOn(tx, [{ id: 'acc_old', heir: 'acc_new' }]))
    expect(await traitsOf('acc_new')).toEqual({ industry: ['RETAIL'] })
    expect(await traitsOf('acc_old')).toBeUndefined()
  })
})

describe('somebody who is forgotten', () => {
  it('leaves nothing that was said of her, by whatever name', async () => {
    const { db } = world.database
    await identify('u:ann email ann@acme.com', 'u:bo email bo@acme.com')
    const ann = 'per amplitude/u:ann'
    await db.insertInto('person_alias').values({ id: 'per_before', person_id: ann }).execute()
    await world.link(ann, 'contact', '70')
    for (const about of [ann, 'per_before', 'per amplitude/u:bo']) {
      await crmSays(about, { title: 'Analyst' })
      const sales = { about, source: 'hubspot', status: 'won', since: NOW, scores: '{}' }
      await db.insertInto('sales_state').values(sales).execute()
      const read = { ref: about, crm: 'hubspot', crm_id: '1', asked: 'x', read_at: NOW }
      await db.insertInto('crm_read').values(read).execute()
    }
    for (const about of ['email/ann@acme.com', 'amplitude/u:ann', 'email/ann@private.example'])
      await fileSays(about, 'team', 'Data')
    await fileSays('email/bo@acme.com', 'team', 'Ops')
    const { id } = await db
      .insertInto('forget_receipt')
      .defaultValues()
      .returning('id')
      .executeTakeFirstOrThrow()
    // The last address is of nobody who is known; only the file has it.
    const nodes = ['email/ann@acme.com', 'amplitude/u:ann', 'email/ann@private.example']
    await addHashes(db, id, nodes)
    const removed = await transact().execute(async (tx) => {
      const forgotten = await readForgotten(tx, id)
      const { rows } = await removePeople(tx, await findForgotten(tx, forgotten))
      return { ...rows, files: await removeTraits(tx, forgotten) }
    })
    expect(removed).toMatchObject({ trait: 2, sales_state: 2, crm_read: 2, files: 3 })
    const left = { about: 'per amplitude/u:bo' }
    expect(await db.selectFrom('sales_state').select('about').execute()).toEqual([left])
    expect(await db.selectFrom('trait').select('about').orderBy('about').execute()).toEqual([
      { about: 'email/bo@acme.com' },
      left,
    ])
    expect(await db.selectFrom('crm_read').select('ref').execute()).toEqual([{ ref: left.about }])
  })
})
