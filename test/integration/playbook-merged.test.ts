import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { carryRecordsOn } from '../../jobs/steps/carry-records.ts'
import { hasDueOutcomes } from '../../jobs/steps/due-outcomes.ts'
import { crmMappingSchema } from '../../src/core/mapping/crm-mapping.ts'
import { readParkedTasks, retryParkedTasks } from '../../src/infra/postgres/parked-task-store.ts'
import { knownStarts, lastStarts, readStanding } from '../../src/infra/postgres/playbook-store.ts'
import { removeFolders } from '../support/state.ts'
import { closeTraitsWorlds, openTraitsWorld, type TraitsWorld } from '../support/traits-world.ts'

const NOW = new Date('2026-09-10T08:00:00Z')
const OF = { crm: 'hubspot', playbook: 'tried' } as const
const key = (id: string) => `hubspot|tried|${id}|2026-09-10T08:00:00.000Z`
let world: TraitsWorld
beforeEach(async () => {
  world = await openTraitsWorld(NOW)
})
afterEach(closeTraitsWorlds)
afterAll(removeFolders)

const insertTask = (state: 'planned' | 'created' | 'parked', more: object = {}) =>
  world.database.db
    .insertInto('task_intent')
    .values({
      ...{ ...OF, key: key('per_two'), account_ref: 'acc_one', person_ref: 'per_two' },
      ...{ marker: 'RPN-1', state, task: JSON.stringify({ subject: 'Call', personRefs: [] }) },
      ...{ crm_task_id: null, reason: null, ...more },
    })
    .execute()
const insertStart = (parked: string | null = null) =>
  world.database.db
    .insertInto('playbook_start')
    .values({
      ...{ ...OF, key: key('per_two'), subject_id: 'per_two', account_ref: 'acc_one' },
      ...{ segment: 'all', started_at: NOW, parked },
    })
    .execute()

describe('what a playbook did for somebody who is merged away', () => {
  it('counts for her heir, with or without a record in the CRM', async () => {
    const { db } = world.database
    await insertTask('planned')
    await insertStart()
    await db
      .insertInto('playbook_standing')
      .values({ ...OF, subject_id: 'per_two', since: NOW })
      .execute()
    await db.transaction().execute((tx) => carryRecordsOn(tx, [{ id: 'per_two', heir: 'per_one' }]))
    const task = await db.selectFrom('task_intent').select('person_ref').executeTakeFirst()
    expect(task).toEqual({ person_ref: 'per_one' })
    await db.transaction().execute(async (tx) => {
      expect(await knownStarts(tx, [key('per_one')])).toEqual(new Set([key('per_one')]))
      expect(await lastStarts(tx, OF, ['per_one'])).toEqual(new Map([['per_one', NOW]]))
      expect([...(await readStanding(tx, OF)).keys()]).toEqual(['per_one'])
    })
  })
})

describe('what is parked of playbooks', () => {
  const parked = async () => {
    const all = await readParkedTasks(world.database.db, 'hubspot')
    return all.map(({ object, ref, reason }) => [object, ref, reason].join(' '))
  }

  it('is told, and gets another try: a task, a line and a start', async () => {
    const { db } = world.database
    await insertTask('parked', { reason: 'no such owner', refused: true })
    await insertTask('created', { key: 'other', marker: 'RPN-2', crm_task_id: '7' })
    const line = { kind: 'reason', note: 'Added', state: 'refused', reason: 'too long' } as const
    await db
      .insertInto('task_amendment')
      .values({ ...line, task_key: 'other' })
      .execute()
    await insertStart('tried.body: undefined variable')
    expect((await parked()).sort()).toEqual([
      'line per_two too long',
      'playbook per_two tried.body: undefined variable',
      'task per_two no such owner',
    ])
    const retry = () => db.transaction().execute((tx) => retryParkedTasks(tx, 'hubspot'))
    expect(await retry()).toBe(3)
    expect(await parked()).toEqual([])
    const states = await db.selectFrom('task_intent').select('state').orderBy('state').execute()
    expect(states.map(({ state }) => state)).toEqual(['created', 'planned'])
    expect(await retry()).toBe(0)
  })

  it('is nothing that came to nothing by itself', async () => {
    await insertTask('parked', { reason: 'sales said no' })
    expect(await parked()).toEqual([])
    const retried = await world.database.db
      .transaction()
      .execute((tx) => retryParkedTasks(tx, 'hubspot'))
    expect(retried).toBe(0)
  })
})

it.each([
  { state: 'created', want: true },
  { state: 'planned', want: true },
  { state: 'parked', want: false },
] as const)('a mapping without tasks looks after a task that is $state: $want', async (one) => {
  const { db } = world.database
  await insertTask(one.state, one.state === 'created' ? { crm_task_id: '7' } : {})
  const mapping = crmMappingSchema.parse({ version: 1, objects: {} })
  const set = { crms: new Map(), models: new Map(), playbooks: new Map() } as never
  expect(await hasDueOutcomes(db, 'hubspot', set, mapping, NOW)).toBe(one.want)
})
