import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { type CrmWorld, closeCrmWorlds, openCrmWorld, said, wanted } from '../support/crm-world.ts'
import { removeFolders } from '../support/state.ts'

afterEach(closeCrmWorlds)
afterAll(removeFolders)

const REFS = Array.from({ length: 100 }, (_, n) => `per_${String(n).padStart(3, '0')}`)
const UPDATES = /contacts\/batch\/update$/
const callsOf = (world: CrmWorld, path: RegExp) =>
  world.sandbox.calls().filter((call) => path.test(call.path)).length

async function wantAll(world: CrmWorld, score: number, refs: readonly string[] = REFS) {
  await world.wantAll(refs.map((ref) => wanted('contact', ref, { properties: { score } })))
}

async function openHundred(): Promise<CrmWorld> {
  const world = await openCrmWorld()
  await wantAll(world, 1)
  await world.reconcile('contact')
  await wantAll(world, 2)
  world.sandbox.resetCalls()
  return world
}

const scores = (world: CrmWorld) => [...said(world, 'contact').values()].map((p) => p['score'])
const states = async ({ database: { db } }: CrmWorld) => {
  const rows = await db.selectFrom('crm_record').select(['ref', 'state']).orderBy('ref').execute()
  return rows.filter(({ state }) => state !== 'in-sync')
}

describe('a record at which the CRM stumbles each time', () => {
  it.each([
    { how: 'an error of the server', fault: { status: 500, body: '<html>oops</html>' } },
    { how: 'a connection that breaks', fault: { kind: 'reset' as const } },
    { how: 'a success that says nothing', fault: { kind: 'empty-2xx' as const } },
  ])('is parked alone after about two calls for each halving: $how', async ({ fault }) => {
    const world = await openHundred()
    const poison = (await world.row('per_037')).crm_id ?? ''
    const mentions = `"${poison}"`
    world.sandbox.faults.push({ path: UPDATES, mentions, times: 1_000, ...fault })
    const { counts } = await world.reconcile('contact')
    expect(counts).toMatchObject({ written: 99, parked: 1 })
    expect(await states(world)).toEqual([{ ref: 'per_037', state: 'parked' }])
    expect(await world.row('per_037')).toMatchObject({ code: 'NO_ANSWER' })
    expect(scores(world).filter((score) => score === '2')).toHaveLength(99)
    expect(callsOf(world, UPDATES)).toBeLessThanOrEqual(18)
    expect(callsOf(world, /batch\/read$/)).toBeLessThanOrEqual(12)
  })

  it('is found among those that were carried out all the same, which are not written twice', async () => {
    const world = await openHundred()
    const rule = { path: UPDATES, status: 502, body: '', carriedOut: true }
    world.sandbox.faults.push(rule)
    const { counts } = await world.reconcile('contact')
    expect(counts['parked']).toBeUndefined()
    expect(callsOf(world, UPDATES)).toBe(1)
    expect(await states(world)).toEqual([])
  })

  it('a batch that fails once is sent again as it was', async () => {
    const world = await openHundred()
    world.sandbox.faults.push({ path: UPDATES, status: 503, body: '' })
    await world.reconcile('contact')
    expect(callsOf(world, UPDATES)).toBe(2)
    expect(await states(world)).toEqual([])
  })

  it('is nobody when the CRM is out of order: after some calls it is left for later', async () => {
    const world = await openHundred()
    world.sandbox.faults.push({ path: UPDATES, times: 10_000, status: 503, body: '' })
    await expect(world.reconcile('contact')).rejects.toThrow('write calls in a row')
    expect(callsOf(world, UPDATES)).toBeLessThanOrEqual(30)
    expect((await states(world)).every(({ state }) => state === 'writing')).toBe(true)
    world.sandbox.faults.clear()
    await world.reconcile('contact')
    expect(await states(world)).toEqual([])
  })
})

describe('a look that fails', () => {
  it('is repeated for those whom it was about, and holds up nobody', async () => {
    const world = await openCrmWorld()
    const many = Array.from({ length: 1_200 }, (_, n) => `per_${String(n).padStart(4, '0')}`)
    await wantAll(world, 1, many)
    world.sandbox.faults.push({ path: /batch\/read$/, nth: 3, status: 502, body: '' })
    const { counts } = await world.reconcile('contact')
    expect(counts).toEqual({ created: 1_200 })
    expect(said(world, 'contact').size).toBe(1_200)
  })
})

describe('what is under way when a pause is asked for', () => {
  it('is noted, and the pause is passed on', async () => {
    const world = await openCrmWorld()
    const many = Array.from({ length: 900 }, (_, n) => `per_${String(n).padStart(4, '0')}`)
    await wantAll(world, 1, many)
    const body = { status: 'error', policyName: 'TEN_SECONDLY_ROLLING' }
    world.sandbox.faults.push({ path: /batch\/upsert$/, nth: 4, status: 429, body })
    await expect(world.reconcile('contact')).rejects.toMatchObject({ kind: 'rate-limited' })
    const left = new Set((await states(world)).map(({ ref }) => ref))
    // Everything that HubSpot holds is noted as such, and nothing else.
    expect(many.length - left.size).toBe(said(world, 'contact').size)
    expect(left.size).toBeGreaterThan(0)
    await world.reconcile('contact')
    expect(await states(world)).toEqual([])
    expect(said(world, 'contact').size).toBe(900)
  })
})
