import { afterEach, describe, expect, it } from '@jest/globals'
import { nextStep } from '../../connectors/crms/hubspot/change-cursor.ts'
import type { Crm, CrmChange } from '../../src/core/ports/crm.ts'
import { followChanges } from './crm-contract-changes.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeAccounts, openAccount } from './hubspot-subject.ts'

afterEach(closeAccounts)

const AT = Date.parse('2026-11-20T10:00:00.000Z')
const SEARCH = { method: 'POST', path: /\/search$/ }
const ids = (changes: readonly CrmChange[]) => changes.map(({ crmId }) => crmId)
const contacts = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ email: `u${from + i}@acme.example` }))

/** An account whose clock is ours, and the place where following begins. */
async function openClock(options: { searchLagMs?: number; overlapMs?: number } = {}) {
  const { overlapMs = 60_000, ...rest } = options
  let clock = AT
  const account = await openAccount({ now: () => clock, scrambleTies: true, ...rest })
  const ask = { cursor: null, properties: ['email', 'jobtitle'], overlapMs }
  const { cursor } = await account.crm.changedSince('contact', ask, noSignal())
  account.sandbox.resetCalls()
  return {
    ...account,
    query: { ...ask, cursor },
    pass: (ms: number) => {
      clock += ms
    },
    searches: () => account.sandbox.calls().filter(({ path }) => path.endsWith('/search')),
  }
}

describe('changes that are followed by search', () => {
  it('survive 12,000 records of one instant between others, each told once', async () => {
    const { sandbox, crm, query, pass, searches } = await openClock()
    const seed = (count: number, from: number) => sandbox.seed({ contacts: contacts(count, from) })
    const before = seed(150, 0).contacts
    pass(1_000)
    const bulk = seed(12_000, 1_000).contacts
    pass(1_000)
    const after = seed(250, 20_000).contacts
    const { changes } = await followChanges(crm, 'contact', query)
    expect(ids(changes)).toHaveLength(12_400)
    expect(new Set(ids(changes))).toEqual(new Set([...before, ...bulk, ...after]))
    expect(searches().every(({ status }) => status === 200)).toBe(true)
    // 60 pages of one instant, 400 others in two, and the pages that found out where instants end.
    expect(searches().length).toBeLessThanOrEqual(67)
  })

  it('miss nothing that moves while it is paged through', async () => {
    const { sandbox, crm, query, pass } = await openClock()
    const all: string[] = []
    for (let i = 0; i < 5; i++) {
      all.push(...sandbox.seed({ contacts: contacts(100, i * 100) }).contacts)
      pass(10)
    }
    const seen = new Set<string>()
    let { cursor }: { cursor: string | null } = query
    for (let more = true; more; ) {
      const page = await crm.changedSince('contact', { ...query, cursor }, noSignal())
      for (const id of ids(page.changes)) seen.add(id)
      ;({ cursor, more } = page)
      // The oldest go to the end of the order, and everything after them moves up.
      pass(10)
      if (seen.size < 200) await touch(crm, all.slice(0, 30))
    }
    expect(seen).toEqual(new Set(all))
  })

  it('that search shows late are told within the overlap', async () => {
    const { sandbox, crm, query, pass } = await openClock({ searchLagMs: 20_000 })
    const [late = ''] = sandbox.seed({ contacts: contacts(1) }).contacts
    pass(5_000)
    const first = await followChanges(crm, 'contact', query)
    expect(ids(first.changes)).toEqual([])
    pass(30_000)
    const second = await followChanges(crm, 'contact', { ...query, cursor: first.cursor })
    expect(ids(second.changes)).toEqual([late])
  })

  it('are not told for ever: the overlap goes on with HubSpot’s clock', async () => {
    const { sandbox, crm, query, pass, searches } = await openClock()
    sandbox.seed({ contacts: contacts(450) })
    const first = await followChanges(crm, 'contact', query)
    pass(61_000)
    const second = await followChanges(crm, 'contact', { ...query, cursor: first.cursor })
    pass(1_000)
    sandbox.resetCalls()
    const third = await followChanges(crm, 'contact', { ...query, cursor: second.cursor })
    expect(ids(third.changes)).toEqual([])
    expect(searches()).toHaveLength(1)
  })

  it('of deals and tasks are followed alike', async () => {
    const { subject, crm } = await openAccount()
    const create = async (path: string, properties: object) => {
      const response = await fetch(`${subject.baseUrl}/crm/v3/objects/${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${subject.secrets[0]}` },
        body: JSON.stringify({ properties }),
      })
      return String(((await response.json()) as { id: string }).id)
    }
    for (const [object, path, properties] of [
      ['deal', 'deals', { dealname: 'Ten seats' }],
      ['task', 'tasks', { hs_task_subject: 'Call', hs_timestamp: String(AT) }],
    ] as const) {
      const ask = { cursor: null, properties: Object.keys(properties), overlapMs: 60_000 }
      const { cursor } = await crm.changedSince(object, ask, noSignal())
      const id = await create(path, properties)
      const page = await crm.changedSince(object, { ...ask, cursor }, noSignal())
      expect(page.changes).toMatchObject([{ crmId: id }])
    }
    // What this test posts is not the connector's.
    subject.requests.forgive()
  })

  it('come without values where those would make the question too long', async () => {
    const { sandbox, crm, query } = await openClock()
    const [id] = sandbox.seed({ contacts: contacts(1) }).contacts
    const properties = Array.from({ length: 60 }, (_, i) => `a_property_${'x'.repeat(50)}_${i}`)
    const { changes } = await followChanges(crm, 'contact', { ...query, properties })
    expect(changes).toMatchObject([{ crmId: id, properties: null }])
  })

  it.each([
    { name: 'an empty success', fault: { kind: 'empty-2xx' } },
    { name: 'half an answer', fault: { kind: 'half-body' } },
    { name: 'a server error', fault: { status: 502, body: '<html></html>' } },
  ] as const)('$name is a failed read, never the end', async ({ fault }) => {
    const { sandbox, crm, query } = await openClock()
    sandbox.seed({ contacts: contacts(1) })
    sandbox.faults.push({ ...SEARCH, ...fault })
    const error = await failureOf(crm.changedSince('contact', query, noSignal()))
    expect(error.kind).toBe('retryable')
  })

  it('a cursor that is none is told without its text', async () => {
    const { crm, query } = await openClock()
    const asked = crm.changedSince('contact', { ...query, cursor: 'x{"at":1}' }, noSignal())
    const error = await failureOf(asked)
    expect(error.kind).toBe('config')
    expect(error.message).not.toContain('"at"')
  })
})

/** Writes something of ours to records, as any change would. */
async function touch(crm: Crm, crmIds: readonly string[]): Promise<void> {
  const writes = crmIds.map((crmId) => ({
    ...{ ref: crmId, key: `p-${crmId}`, crmId },
    properties: { usage_note: String(Math.random()) },
  }))
  await crm.write('contact', writes, noSignal())
}

describe('the way from one page to the next', () => {
  const rules = { full: true, beganAt: 9_000, overlapMs: 1_000 }
  const place = { at: 100, id: null, began: null }
  const page = (...at: number[]) => at.map((one, i) => ({ id: String(i + 1), at: one }))

  it.each([
    {
      name: 'keeps back the last instant of a full page',
      given: { place, page: page(100, 150, 150) },
      want: { told: ['1'], place: { at: 150, id: null, began: 9_000 }, more: true },
    },
    {
      name: 'goes by id through an instant that fills a page',
      given: { place, page: page(150, 150, 150) },
      want: { told: [], place: { at: 150, id: '0', began: 9_000 }, more: true },
    },
    {
      name: 'goes on after the last id of a full page of one instant',
      given: { place: { at: 150, id: '0', began: 5_000 }, page: page(150, 150) },
      want: { told: ['1', '2'], place: { at: 150, id: '2', began: 5_000 }, more: true },
    },
  ])('$name', ({ given, want }) => {
    const step = nextStep(given.place, given.page, rules)
    expect({ ...step, changes: step.changes.map(({ id }) => id) }).toEqual({
      changes: want.told,
      place: want.place,
      more: want.more,
    })
  })

  it('leaves an instant behind that ends with a page', () => {
    const step = nextStep({ at: 150, id: '7', began: 5_000 }, [], { ...rules, full: false })
    expect(step).toEqual({ changes: [], place: { at: 151, id: null, began: 5_000 }, more: true })
  })

  it('begins the next pass before this one began, by the clock of its first answer', () => {
    const step = nextStep(place, page(8_999), { ...rules, full: false })
    expect(step.place).toEqual({ at: 8_000, id: null, began: null })
  })

  it('goes by what was seen where HubSpot tells no time', () => {
    const silent = { ...rules, full: false, beganAt: null }
    expect(nextStep(place, page(8_000), silent).place.at).toBe(7_000)
    expect(nextStep(place, [], silent).place.at).toBe(100)
  })
})
