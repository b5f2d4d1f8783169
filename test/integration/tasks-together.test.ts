import { afterAll, afterEach, describe, expect, it } from '@jest/globals'
import { createPlannedTasks } from '../../jobs/steps/create-tasks.ts'
import { crmMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import { type CrmWorld, closeCrmWorlds, openCrmWorld, wanted } from '../support/crm-world.ts'
import { removeFolders } from '../support/state.ts'

afterEach(closeCrmWorlds)
afterAll(removeFolders)

const ACCOUNTS = Array.from({ length: 6 }, (_, n) => `acc_${n}`)
const TASK = {
  ...{ subject: 'Call them', body: 'They are ready.', dueAt: '2026-11-23T09:00:00.000Z' },
  ...{ priority: 'high', type: 'to-do', queueId: null, reminderAt: null, personRefs: [] },
  ...{ segment: 'all', reason: 'they are ready' },
}

/** Six accounts that are in HubSpot, and a task for each that is planned. */
async function openPlanned(): Promise<CrmWorld> {
  const world = await openCrmWorld()
  await world.wantAll(ACCOUNTS.map((ref) => wanted('company', ref)))
  await world.reconcile('company')
  const rows = ACCOUNTS.map((accountRef) => ({
    ...{
      key: `k ${accountRef}`,
      crm: 'hubspot',
      account_ref: accountRef,
      state: 'planned' as const,
    },
    ...{ marker: `RPN-${accountRef}`, playbook: 'ready', crm_task_id: null, reason: null },
    task: JSON.stringify({ ...TASK, accountRef }),
  }))
  await world.database.db.insertInto('task_intent').values(rows).execute()
  world.sandbox.resetCalls()
  return world
}

async function create({ database: { db }, crm }: CrmWorld) {
  const counts: Record<string, number> = {}
  const count = (name: string, n = 1) => {
    counts[name] = (counts[name] ?? 0) + n
  }
  const mapping = crmMappingSchema.parse({ version: 1, objects: {} })
  const set = { ...NO_RULES, crms: new Map([['hubspot', mapping]]) }
  const { signal } = new AbortController()
  const context = { db, clock: () => new Date() }
  const run = { note: () => {}, count }
  await createPlannedTasks(context, { callTimeoutMs: 100 }, crm, set, mapping, signal, run)
  return counts
}

const NO_RULES = { models: new Map(), playbooks: new Map() }

const callsOf = (world: CrmWorld, path: RegExp) =>
  world.sandbox.calls().filter((call) => path.test(call.path)).length
const REFUSAL = { status: 'error', category: 'VALIDATION_ERROR', message: 'not all are valid' }
const BATCH = /tasks\/batch\/create$/
const ALONE = /objects\/tasks$/

const created = async (world: CrmWorld) => {
  const rows = await world.database.db.selectFrom('task_intent').select('state').execute()
  return rows.filter(({ state }) => state === 'created').length
}
const bodies = ({ sandbox }: CrmWorld) =>
  sandbox.records('tasks').map(({ properties }) => properties['hs_task_body'])

describe('tasks of many accounts', () => {
  it('are looked up in one call and created in another', async () => {
    const world = await openPlanned()
    expect(await create(world)).toEqual({ tasks: 6 })
    expect(await created(world)).toBe(6)
    expect(new Set(bodies(world)).size).toBe(6)
    expect(callsOf(world, /companies\/batch\/read$/)).toBe(1)
    expect([callsOf(world, BATCH), callsOf(world, ALONE)]).toEqual([1, 0])
  })

  it('of which one is refused, are there without that one', async () => {
    const world = await openPlanned()
    await world.database.db
      .updateTable('crm_record')
      .set({ crm_id: '99999999' })
      .where('ref', '=', 'acc_3')
      .execute()
    expect(await create(world)).toEqual({ tasks: 5 })
    const parked = await world.database.db
      .selectFrom('task_intent')
      .select(['account_ref', 'reason'])
      .where('state', '=', 'parked')
      .execute()
    expect(parked).toEqual([{ account_ref: 'acc_3', reason: expect.any(String) }])
    expect(bodies(world)).toHaveLength(5)
  })

  it.each([
    { what: 'none of which is there, are sent one by one', carriedOut: false, alone: 6 },
    { what: 'that are there all the same, are found', carriedOut: true, alone: 0 },
  ])(
    'whose batch is refused as a whole, $what',
    async ({ carriedOut, alone }) => {
      const world = await openPlanned()
      world.sandbox.faults.push({ path: BATCH, status: 400, body: REFUSAL, carriedOut })
      expect(await create(world)).toEqual({ tasks: 6 })
      expect(await created(world)).toBe(6)
      expect(bodies(world)).toHaveLength(6)
      expect([callsOf(world, BATCH), callsOf(world, ALONE)]).toEqual([1, alone])
    },
    30_000,
  )
})
