import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, pulledState, type Thread } from '../support/thread.ts'
import { later, openTried, subjectsOf, tasksOf, tried } from '../support/tried-playbook.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const READY = tried({ trigger: '{ status-entered: qualified }', subject: 'account' })
const SECOND = tried({ id: 'zz-second', trigger: '{ score-crossed: 50 }' })

const firstTask = ({ vendors: { hubspot } }: Thread) => hubspot.records('tasks')[0]?.id ?? ''
const statesOf = async ({ app }: Thread) => {
  const rows = await app.context.db
    .selectFrom('task_intent')
    .select(['playbook', 'state'])
    .orderBy('playbook')
    .execute()
  return rows.map(({ playbook, state }) => `${playbook} ${state}`)
}

describe('a reason that was to go into an open task', () => {
  it.each([
    { what: 'done', end: (t: Thread) => t.vendors.hubspot.people.completeTask(firstTask(t)) },
    { what: 'deleted', end: (t: Thread) => t.vendors.hubspot.archive('tasks', firstTask(t)) },
  ])('that was $what in the meantime has a task of its own, once', async ({ what, end }) => {
    const thread = await openTried(origin, [READY])
    await thread.sync()
    await thread.sync()
    end(thread)
    await thread.tryOut([READY, SECOND])
    await thread.score()
    await thread.sync()
    await thread.sync()
    const subjects = subjectsOf(thread).filter((subject) => subject.includes(WHO.champion))
    expect(subjects).toEqual([`Tried ${WHO.champion}`])
    expect(await statesOf(thread)).toEqual([`tried ${what}`, 'zz-second created'])
    await thread.sync()
    expect(await statesOf(thread)).toEqual([`tried ${what}`, 'zz-second created'])
  })

  it('that was seen to be done before the line was added has one too', async () => {
    const thread = await openTried(origin, [READY])
    await thread.sync()
    await thread.sync()
    await thread.tryOut([READY, SECOND])
    await thread.score()
    thread.vendors.hubspot.people.completeTask(firstTask(thread))
    await thread.app.context.db.updateTable('task_intent').set({ read_at: null }).execute()
    await thread.sync()
    await thread.sync()
    expect(await statesOf(thread)).toEqual(['tried done', 'zz-second created'])
  })
})

it('while the create of a task is in doubt no second one is made', async () => {
  const thread = await openTried(origin, [READY, SECOND])
  thread.vendors.hubspot.faults.push({
    ...{ method: 'POST', path: /objects\/tasks$/, kind: 'reset-after', times: 1 },
  })
  await thread.sync()
  await thread.sync()
  expect(await statesOf(thread)).toEqual(['tried created', 'zz-second merged'])
  expect(tasksOf(thread)).toHaveLength(1)
}, 60_000)

describe('whoever has opted out by the time of the task', () => {
  /** She opts out while her task is planned. */
  async function optedOutLate(text: string) {
    const thread = await openTried(origin, [text])
    const { db } = thread.app.context
    const { id } = await db
      .selectFrom('person')
      .select('id')
      .where('email', '=', WHO.champion)
      .executeTakeFirstOrThrow()
    await sql`insert into trait (about, origin, name, value, told_at, recorded_at)
      values (${id}, 'a-list-of-ours', 'opted_out', 'true', ${later(-1)}, ${later(-1)})`.execute(db)
    await thread.sync()
    return thread
  }

  it('has no task about her', async () => {
    const thread = await optedOutLate(tried({ trigger: '{ score-crossed: 50 }' }))
    expect(tasksOf(thread)).toEqual([])
    expect(await statesOf(thread)).toEqual(['tried parked'])
  })

  it('is neither named in the task of her account nor attached to it', async () => {
    const body = '{{ champion.email }} of {{ account.domain }}'
    const trigger = '{ status-entered: qualified }'
    const thread = await optedOutLate(tried({ trigger, subject: 'account', body }))
    const [task, ...others] = tasksOf(thread)
    expect(others).toEqual([])
    expect(task?.body).toContain(`of ${DOMAINS.fresh}`)
    expect(task?.body).not.toContain(WHO.champion)
    expect(task?.on).not.toContain(WHO.champion)
    expect(task?.on).toContain(DOMAINS.fresh)
  })
})

describe('a call of sales', () => {
  const calls = (files: Readonly<Record<string, string>>) => ({
    ...files,
    'hubspot.yaml': `${files['hubspot.yaml']}\nfirst-contact: {}\n`,
  })
  const call = ({ vendors: { hubspot } }: Thread, hours: number) => {
    const company = viewPortal(hubspot).company(DOMAINS.fresh)?.id ?? ''
    const at = later(hours).toISOString()
    hubspot.people.log('calls', { companies: [company] }, { hs_timestamp: at })
  }

  it('ends the task of a playbook that is about nobody qualified', async () => {
    const text = tried({ trigger: '{ people-active: 3 }', subject: 'account' })
    const thread = await openTried(origin, [text], calls)
    const { db } = thread.app.context
    await thread.sync()
    await db.deleteFrom('playbook_standing').execute()
    await thread.score()
    await thread.sync()
    expect(tasksOf(thread)).toHaveLength(1)
    await db.updateTable('score').set({ qualified_at: null }).execute()
    call(thread, 1)
    thread.at(2)
    await thread.sync()
    thread.at(4)
    await thread.sync()
    expect(tasksOf(thread)[0]?.body).toMatch(/^Closed by Ripen: sales is in contact already\./)
  }, 30_000)

  it('keeps a task from being made that waited', async () => {
    const task = `assign: [account-owner]
          fallback-owner: ben.okafor@sales.example
          daily-cap: 1
          one-open: false`
    const both = [
      tried({ trigger: '{ status-entered: qualified }', subject: 'account', task }),
      tried({ id: 'zz-second', trigger: '{ score-crossed: 50 }', task }),
    ]
    const thread = await openTried(origin, both, calls)
    await thread.sync()
    expect(await statesOf(thread)).toEqual(['tried created', 'zz-second planned'])
    thread.at(1)
    call(thread, 1)
    thread.at(2)
    await thread.sync()
    thread.at(20)
    await thread.sync()
    expect(await statesOf(thread)).toEqual(['tried closed', 'zz-second parked'])
  }, 30_000)
})
