import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import { type Edit, mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import {
  closeThreads,
  NOW,
  openThread,
  pulledState,
  type Thread,
  type ThreadOptions,
} from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const HOUR_MS = 3_600_000
const later = (hours: number) => new Date(NOW.getTime() + hours * HOUR_MS)
/** What the portal takes for now; it goes with the clock of the jobs. */
let clock = NOW
function setNow(thread: Thread, at: Date): void {
  clock = at
  thread.setNow(at)
}
async function openPortal(options: Omit<ThreadOptions, 'origin'> = {}): Promise<Thread> {
  clock = NOW
  return openThread({ origin, hubspot: { now: () => clock.getTime() }, ...options })
}

const OUTCOMES = {
  file: 'hubspot.yaml',
  from: /^# deals: .*\n# first-contact: .*$/m,
  to: 'deals: {}\nfirst-contact: {}',
}

/** A portal in which one account is qualified and has one task. */
async function openSynced(...edits: readonly Edit[]): Promise<Thread> {
  const thread = await openPortal({ mappings: await mappingFiles(...edits) })
  await thread.score()
  expect(await thread.sync()).toMatchObject({ tasks: 1 })
  return thread
}

async function syncAt(thread: Thread, hours: number) {
  setNow(thread, later(hours))
  return thread.sync()
}

const hubspot = ({ vendors }: Thread) => vendors.hubspot
const tasksOf = (thread: Thread) => hubspot(thread).records('tasks')
function onlyTask(thread: Thread) {
  const [task, ...others] = tasksOf(thread)
  if (!task || others.length > 0) throw new Error('expected one task')
  return task
}
const bodyOf = (thread: Thread) => onlyTask(thread).properties['hs_task_body'] ?? ''
const idOf = (thread: Thread) => viewPortal(hubspot(thread)).company(DOMAINS.fresh)?.id ?? ''
const contactId = (thread: Thread, email: string = WHO.champion) =>
  viewPortal(hubspot(thread)).contact(email)?.id ?? ''
const reject = (thread: Thread) =>
  hubspot(thread).people.edit('companies', idOf(thread), { pqa_disposition: 'rejected' })
const taskStates = async (thread: Thread) => (await thread.status()).crms['hubspot']?.tasks
const told = async (thread: Thread, who: string = DOMAINS.fresh) => {
  const found = await explain(thread.app.context.db, who)
  if (!found) throw new Error('nobody')
  return found
}

describe('a task', () => {
  it('that a rep completes is read back with the time, and no other is made', async () => {
    const thread = await openSynced()
    hubspot(thread).people.completeTask(onlyTask(thread).id)
    const doneAt = onlyTask(thread).properties['hs_task_completion_date']
    await syncAt(thread, 0.5)
    expect(await taskStates(thread)).toEqual({ created: 1 })
    expect(await syncAt(thread, 1.5)).toMatchObject({ tasks: 0, writeCalls: 0 })
    expect(await taskStates(thread)).toEqual({ done: 1 })
    expect((await told(thread)).tasks).toMatchObject([{ state: 'done', completedAt: doneAt }])
    expect(await syncAt(thread, 3)).toMatchObject({ tasks: 0, writeCalls: 0 })
  })

  it('is closed with one note when sales says no, and is left in peace after that', async () => {
    const thread = await openSynced()
    reject(thread)
    await syncAt(thread, 2)
    expect(onlyTask(thread).properties['hs_task_status']).toBe('COMPLETED')
    expect(bodyOf(thread)).toMatch(
      /^Closed by Ripen: sales said no\.<br><br>.*is ready|looks ready/,
    )
    expect(await taskStates(thread)).toEqual({ closed: 1 })
    const body = bodyOf(thread)
    await syncAt(thread, 4)
    await syncAt(thread, 6)
    expect(bodyOf(thread)).toBe(body)
    expect((await told(thread)).tasks).toMatchObject([{ note: 'Closed by Ripen: sales said no.' }])
  })

  it('is closed when the account is not qualified any more', async () => {
    const thread = await openSynced()
    setNow(thread, later(24 * 70))
    await thread.score()
    await thread.sync()
    expect(bodyOf(thread)).toMatch(/^Closed by Ripen: the account is not qualified any more\./)
    expect(await thread.sync()).toMatchObject({ writeCalls: 0 })
  })

  it('that a person has begun is hers: it stays, whatever sales says', async () => {
    const thread = await openSynced()
    hubspot(thread).people.edit('tasks', onlyTask(thread).id, {
      hs_timestamp: later(48).toISOString(),
    })
    reject(thread)
    await syncAt(thread, 2)
    expect(onlyTask(thread).properties['hs_task_status']).toBe('NOT_STARTED')
    expect(bodyOf(thread)).not.toContain('Closed by Ripen')
    await syncAt(thread, 4)
    expect(await taskStates(thread)).toEqual({ created: 1 })
    hubspot(thread).people.completeTask(onlyTask(thread).id)
    await syncAt(thread, 6)
    expect(await taskStates(thread)).toEqual({ done: 1 })
  })

  it('stays where the mapping says so', async () => {
    const leave = { file: 'hubspot.yaml', from: 'when-gone: close', to: 'when-gone: leave' }
    const thread = await openSynced(leave)
    reject(thread)
    await syncAt(thread, 2)
    expect(onlyTask(thread).properties['hs_task_status']).toBe('NOT_STARTED')
  })

  it('that somebody deletes is not made again in that episode', async () => {
    const thread = await openSynced()
    hubspot(thread).archive('tasks', onlyTask(thread).id)
    await syncAt(thread, 2)
    expect(await taskStates(thread)).toEqual({ deleted: 1 })
    reject(thread)
    expect(await syncAt(thread, 4)).toMatchObject({ tasks: 0 })
    expect(tasksOf(thread).filter(({ archived }) => !archived)).toEqual([])
  })

  it.each(['reset-after', 'reset', 'empty-2xx', 'half-body'] as const)(
    'has one note when the closing call ends in %s',
    async (kind) => {
      const thread = await openSynced()
      reject(thread)
      hubspot(thread).faults.push({ method: 'PATCH', path: /objects\/tasks\//, kind })
      await syncAt(thread, 2)
      expect(hubspot(thread).faults.pending).toBe(0)
      expect(bodyOf(thread).split('Closed by Ripen')).toHaveLength(2)
      expect(await taskStates(thread)).toEqual({ closed: 1 })
    },
  )

  it('is of the type and in the queue that the mapping names, with a reminder and the open deal', async () => {
    const to = 'priority: high\n  type: call\n  queue: "77"\n  remind-before: 1h\n  open-deal: task'
    const subject = {
      from: '(score {{ score }})"',
      to: `{% if deal %}({{ deal.name }}, {{ deal.amount }}){% endif %}"`,
    }
    const never = { file: 'hubspot.yaml', from: 'evidence-within: 24h', to: 'evidence-within: 1m' }
    const mappings = await mappingFiles(
      OUTCOMES,
      { file: 'hubspot.yaml', from: 'priority: high', to },
      { file: 'hubspot.yaml', ...subject },
      never,
    )
    // The engine scores at once: with the mappings that ship there would be a task before there is a deal.
    const thread = await openPortal({ mappings })
    // The deal is known before the account is planned for: the company was there, and is read first.
    const [company = ''] = hubspot(thread).seed({
      companies: [{ domain: DOMAINS.fresh }],
    }).companies
    const deal = hubspot(thread).people.openDeal(
      { companies: [company] },
      { dealname: 'Team plan', amount: '1200' },
    )
    await thread.score()
    await thread.sync()
    expect(tasksOf(thread)).toEqual([])
    await thread.publish(
      Object.fromEntries(
        Object.entries(mappings).map(([name, text]) => [name, text.replace(never.to, never.from)]),
      ),
    )
    await thread.score()
    await thread.sync()
    const task = onlyTask(thread)
    expect(task.properties).toMatchObject({
      hs_task_subject: expect.stringContaining('(Team plan, 1200)'),
      hs_task_type: 'CALL',
      hs_queue_membership_ids: '77',
      hs_task_reminders: String(Date.parse(task.properties['hs_timestamp'] ?? '') - HOUR_MS),
    })
    const about = hubspot(thread)
      .associations()
      .filter(({ from, to: end }) => from.id === task.id && end.type === 'deals')
    expect(about.map(({ to: end }) => end.id)).toEqual([deal])
  })
})

describe('a deal', () => {
  it('makes an opportunity, then won, in the scores, the CRM and the history; and ends the task', async () => {
    const thread = await openSynced(OUTCOMES)
    const about = { companies: [idOf(thread)], contacts: [contactId(thread)] }
    const { people } = hubspot(thread)
    setNow(thread, later(1))
    const deal = people.openDeal(about, { dealname: 'Team plan', amount: '1200' })
    await syncAt(thread, 2)
    expect(viewPortal(hubspot(thread)).company(DOMAINS.fresh)?.properties['pqa_sales_status']).toBe(
      'opportunity',
    )
    expect(onlyTask(thread).properties['hs_task_status']).toBe('NOT_STARTED')
    setNow(thread, later(3))
    people.closeDeal(deal, 'won')
    await syncAt(thread, 4)
    for (const who of [DOMAINS.fresh, WHO.champion]) {
      const { sales, deals, scores } = await told(thread, who)
      expect(sales).toEqual({
        status: 'won',
        since: later(3).toISOString(),
        source: 'hubspot deals',
        reason: 'Closed Won',
      })
      expect(scores[0]?.salesStatus).toBe('won')
      expect(deals).toMatchObject([{ name: 'Team plan', amount: 1200, state: 'won' }])
    }
    expect(viewPortal(hubspot(thread)).contact(WHO.champion)?.properties['pql_sales_status']).toBe(
      'won',
    )
    expect(bodyOf(thread)).toMatch(/^Closed by Ripen: the deal was won\./)
    const { db } = thread.app.context
    const history = await db
      .selectFrom('score_change')
      .innerJoin('account', 'account.id', 'subject_id')
      .select(['from_sales', 'to_sales'])
      .where('domain', '=', DOMAINS.fresh)
      .where('to_sales', 'is not', null)
      .orderBy('score_change.id')
      .execute()
    expect(history).toEqual([
      { from_sales: 'none', to_sales: 'opportunity' },
      { from_sales: 'opportunity', to_sales: 'won' },
    ])
    const stages = await db
      .selectFrom('crm_deal_stage')
      .select(['stage', 'at', 'state'])
      .orderBy('at')
      .execute()
    expect(stages).toEqual([
      { stage: 'appointmentscheduled', at: later(1), state: 'open' },
      { stage: 'closedwon', at: later(3), state: 'won' },
    ])
    expect((await thread.status()).crms['hubspot']).toMatchObject({ deals: { won: 1 } })
  })

  it('and a first contact that the token may not read are told in the end; all else goes on', async () => {
    const thread = await openPortal({ mappings: await mappingFiles(OUTCOMES) })
    const body = { category: 'MISSING_SCOPES', message: 'no', correlationId: 'c' }
    hubspot(thread).faults.push({ path: /contacts\/(deals|calls)/, status: 403, body, times: 50 })
    await thread.score()
    await thread.sync().catch(() => null)
    expect(viewPortal(hubspot(thread)).tasks).toHaveLength(1)
    expect((await thread.status()).open).toMatchObject([
      { step: 'reconcile', error: expect.stringMatching(/associations\/contacts\/deals/) },
    ])
  })
})

it('owners are read again every quarter of an hour, whether there is a task or not', async () => {
  const thread = await openSynced()
  const { db } = thread.app.context
  await syncAt(thread, 0.2)
  await syncAt(thread, 0.5)
  const rows = await db.selectFrom('crm_owner').select('seen_at').distinct().execute()
  expect(rows).toEqual([{ seen_at: later(0.5) }])
})

describe('the first contact', () => {
  it('is the earliest call, e-mail or meeting after the trigger, for the person and her account', async () => {
    const thread = await openSynced(OUTCOMES)
    const { people } = hubspot(thread)
    const about = { contacts: [contactId(thread)] }
    const log = (kind: 'calls' | 'emails' | 'meetings', hours: number, more = {}) =>
      people.log(kind, about, { hs_timestamp: later(hours).toISOString(), ...more })
    log('calls', -24 * 30)
    log('emails', 1, { hs_email_direction: 'INCOMING_EMAIL' })
    log('meetings', 30)
    log('calls', 3, { hubspot_owner_id: '41000002' })
    await syncAt(thread, 5)
    const contact = { kind: 'call', at: later(3).toISOString(), owner: 'Ben Okafor' }
    for (const who of [DOMAINS.fresh, WHO.champion]) {
      expect((await told(thread, who)).firstContacts).toMatchObject([contact])
    }
    // An e-mail that was logged late was earlier.
    log('emails', 2, { hs_email_direction: 'EMAIL' })
    await syncAt(thread, 7)
    expect((await told(thread)).firstContacts).toMatchObject([{ kind: 'email' }])
    expect((await thread.status()).crms['hubspot']).toMatchObject({ firstContacts: 2 })
  })
})
