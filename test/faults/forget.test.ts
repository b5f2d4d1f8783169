import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { runStep } from '../../jobs/run.ts'
import { type Explanation, explain } from '../../src/app/explanation.ts'
import {
  findByEmail,
  type Receipt,
  readReceipt,
  requestForget,
} from '../../src/infra/postgres/forget-store.ts'
import { STEPS } from '../../src/infra/postgres/work.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { holdingsOf } from '../support/holdings.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { DOMAINS, smallUsage, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, NOW, openThread, pulledState, type Thread } from '../support/thread.ts'
import { writeExports } from '../support/usage-log.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

/** Her address and vendor ids; nothing may hold them. */
const HERS = [WHO.champion, 'a-ana', 'm-ana']
const OTHERS = [WHO.loner, WHO.student, WHO.veteran, WHO.latecomer, WHO.quiet, DOMAINS.old]

async function request(thread: Thread, email: string): Promise<string> {
  const { db } = thread.app.context
  const found = await findByEmail(db, email)
  return requestForget(db, [`email/${email}`, ...(found?.nodes ?? [])])
}

async function workAll({ app }: Thread): Promise<void> {
  app.engine.start(STEPS, ['hubspot'])
  await app.engine.wake(STEPS)
  for (const step of STEPS) await app.engine.idle([step])
}

/** The step alone, with no engine that might score meanwhile. */
async function runForget(context: Thread['app']['context'], signal: AbortSignal): Promise<void> {
  await runStep(context, 'forget', 'all', false, signal, async () => {})
}

async function forget(thread: Thread, email: string): Promise<Receipt> {
  const id = await request(thread, email)
  await thread.app.engine.wake(['forget'])
  for (const step of STEPS) await thread.app.engine.idle([step])
  return readReceipt(thread.app.context.db, id)
}

async function scoresOf(thread: Thread, names: readonly string[]): Promise<unknown[]> {
  const told = (one: Explanation | null) =>
    one && { name: one.name, identities: one.identities, scores: one.scores }
  return Promise.all(names.map(async (name) => told(await explain(thread.app.context.db, name))))
}

async function idOf(thread: Thread, email: string): Promise<string> {
  return (await explain(thread.app.context.db, email))?.id ?? 'nobody'
}

/** What a receipt tells but for what the CRM steps may have made of her before their turn ended. */
function lakeOf({ removed, hashes }: Awaited<ReturnType<typeof readReceipt>>) {
  const { crm_record: _record, task_intent: _task, ...rows } = removed.rows
  return { hashes, files: removed.files, rows }
}

describe('whoever is forgotten', () => {
  it('is in no table and in no file any more, and the receipt says what was removed', async () => {
    const thread = await openThread({ origin })
    await thread.run()
    const id = await idOf(thread, WHO.champion)
    expect((await holdingsOf(thread.app, [...HERS, id])).length).toBeGreaterThan(8)
    const contact = thread.vendors.hubspot
      .records('contacts')
      .find((record) => record.properties['email'] === WHO.champion)
    const receipt = await forget(thread, WHO.champion)
    expect(await holdingsOf(thread.app, [...HERS, id])).toEqual([])
    expect(receipt).toMatchObject({
      finishedAt: NOW.toISOString(),
      hashes: 3,
      removed: { rows: { person: 1, identity_node: 3, score: 1, crm_record: 1 } },
    })
    // Two events in each vendor, and the rows of two rollups.
    const events = receipt.removed.files.filter(({ file }) => !file.includes('-rollup-'))
    expect(events.map(({ rows }) => rows)).toEqual([2, 2])
    expect(receipt.inCrm).toContainEqual({
      crm: 'hubspot',
      object: 'contact',
      id: contact?.id,
      todo: 'erase',
    })
    expect(receipt.inCrm.map(({ object }) => object)).toContain('task')
    expect(JSON.stringify(receipt)).not.toMatch(/ana@|a-ana|m-ana/)
  })

  it('is off her deals; what she alone had is gone, and others keep theirs without her name', async () => {
    const outcomes = /^# deals: .*\n# first-contact: .*$/m
    const to = 'deals: {}\nfirst-contact: {}'
    const mappings = await mappingFiles({ file: 'hubspot.yaml', from: outcomes, to })
    const thread = await openThread({ origin, mappings })
    await thread.run()
    const { people } = thread.vendors.hubspot
    const idIn = (object: string, name: string, value: string) =>
      thread.vendors.hubspot.records(object).find((r) => r.properties[name] === value)?.id ?? ''
    const contacts = [idIn('contacts', 'email', WHO.champion)]
    const companies = [idIn('companies', 'domain', DOMAINS.fresh)]
    const own = people.openDeal({ contacts }, { dealname: `Plan of ${WHO.champion}` })
    const shared = people.openDeal({ contacts, companies }, { dealname: `For ${WHO.champion}` })
    people.log('calls', { contacts }, { hs_timestamp: NOW.toISOString() })
    thread.setNow(new Date(NOW.getTime() + 2 * 3_600_000))
    await thread.sync()
    const id = await idOf(thread, WHO.champion)
    expect(await holdingsOf(thread.app, [id])).toEqual(
      expect.arrayContaining(['table public.crm_deal_record', 'table public.first_contact']),
    )
    const receipt = await forget(thread, WHO.champion)
    expect(await holdingsOf(thread.app, [...HERS, id])).toEqual([])
    const deals = await thread.app.context.db
      .selectFrom('crm_deal')
      .select(['deal_id', 'name'])
      .execute()
    expect(deals).toEqual([{ deal_id: shared, name: '' }])
    const named = receipt.inCrm.filter(({ object }) => object === 'deal')
    expect(named.map((one) => one.id).sort()).toEqual([own, shared].sort())
  })

  it('changes nothing for others, and leaves the company and its record without her', async () => {
    const thread = await openThread({ origin })
    await thread.run()
    const before = await scoresOf(thread, OTHERS)
    await forget(thread, WHO.champion)
    await thread.score()
    expect(await scoresOf(thread, OTHERS)).toEqual(before)
    expect(await thread.status()).toMatchObject({
      people: 9,
      accounts: 5,
      sources: { amplitude: { events: 23, rows: 23 }, mixpanel: { events: 7, rows: 7 } },
    })
    await thread.sync()
    expect(await holdingsOf(thread.app, HERS)).toEqual([])
    const companies = thread.vendors.hubspot.records('companies').map((r) => r.properties)
    expect(JSON.stringify(companies)).not.toContain(WHO.champion)
    // The contact stays until somebody erases it there.
    const contacts = thread.vendors.hubspot.records('contacts').map((r) => r.properties['email'])
    expect(contacts).toContain(WHO.champion)
  })

  it('does not come back with a later pull, not even under a new id', async () => {
    const thread = await openThread({ origin })
    await forget(thread, WHO.champion)
    const files = await writeExports(smallUsage(NOW), await makeFolder('again'))
    await thread.pull(['amplitude'], [files.amplitude])
    await thread.pull(['mixpanel'], [files.mixpanel])
    expect(await thread.status()).toMatchObject({
      people: 9,
      sources: { amplitude: { events: 23 }, mixpanel: { events: 7 } },
    })
    const at = new Date(NOW.getTime() - 3_600_000)
    thread.usage.mixpanel({
      event: 'page_viewed',
      user: 'm-new',
      email: ' ANA@northfield-tools.com',
      at,
    })
    thread.usage.mixpanel({ event: 'page_viewed', user: WHO.champion, at })
    thread.usage.mixpanel({ event: 'page_viewed', user: 'm-jon', email: WHO.quiet, at })
    thread.setNow(new Date(NOW.getTime() + 3_600_000))
    await thread.pull(['mixpanel'])
    expect(await holdingsOf(thread.app, [...HERS, 'm-new'])).toEqual([])
    expect(await thread.status()).toMatchObject({ people: 9, sources: { mixpanel: { events: 8 } } })
  })

  it('is not named any more by what others did, and what they did still counts', async () => {
    const mappings = await mappingFiles({
      file: 'usage.yaml',
      from: 'version: 1\n',
      to: 'version: 1\nkeep: all\n',
    })
    const usage = smallUsage(NOW)
    const at = new Date(NOW.getTime() - 6 * 3_600_000)
    const bo = { user: 'a-bo', email: WHO.colleague, at }
    const traits = { manager: `Ana <${WHO.champion.toUpperCase()}>` }
    usage.amplitude({ ...bo, event: 'invite_sent', props: { to: WHO.champion }, traits })
    const rows = { amplitude: usage.amplitudeRows, mixpanel: usage.mixpanelRows }
    const thread = await openThread({ rows, mappings })
    await thread.pull()
    await forget(thread, WHO.champion)
    const expectWithout = async () => {
      expect(await holdingsOf(thread.app, HERS)).toEqual([])
      expect(await holdingsOf(thread.app, ['Ana <forgotten>'])).not.toEqual([])
      await thread.score()
      expect(await explain(thread.app.context.db, WHO.colleague)).toMatchObject({
        scores: [{ score: 20 }],
      })
    }
    await expectWithout()
    // The same rows again are the same content: nothing is swapped.
    const windows = async () => {
      const { db } = thread.app.context
      return db.selectFrom('source_window').select(['window_key', 'content_hash']).execute()
    }
    const before = await windows()
    const files = await writeExports(usage, await makeFolder('named'))
    await thread.pull(['amplitude'], [files.amplitude])
    await expectWithout()
    expect(await windows()).toEqual(expect.arrayContaining(before))
  })

  it('is forgotten whole when the work breaks off in the middle, and counted once', async () => {
    // Nobody else works before she is forgotten: whether she was scored by then would be left to chance.
    const undisturbed = await openThread({ origin, working: false })
    const asked = await request(undisturbed, WHO.champion)
    const unstopped = new AbortController().signal
    await runForget(undisturbed.app.context, unstopped)
    await workAll(undisturbed)
    const whole = await readReceipt(undisturbed.app.context.db, asked)
    const thread = await openThread({ origin, working: false })
    const id = await request(thread, WHO.champion)
    const stop = new AbortController()
    const { context } = thread.app
    let connections = 0
    const duck = {
      ...context.duck,
      connect: <T>(work: Parameters<typeof context.duck.connect<T>>[0]) => {
        // After the first file was written again.
        if (++connections === 3) stop.abort(new Error('stop'))
        return context.duck.connect(work)
      },
    }
    await runForget({ ...context, duck }, stop.signal).catch(() => null)
    const half = await readReceipt(context.db, id)
    expect(half).toMatchObject({ finishedAt: null, removed: { rows: {} } })
    expect(half.removed.files.length).toBeGreaterThan(0)
    await runForget(context, unstopped)
    await workAll(thread)
    expect(await holdingsOf(thread.app, HERS)).toEqual([])
    const receipt = await readReceipt(context.db, id)
    expect(lakeOf(receipt)).toEqual(lakeOf(whole))
  })

  it('can be forgotten again, and nobody at all too', async () => {
    const thread = await openThread({ origin })
    await forget(thread, WHO.champion)
    const before = await thread.status()
    const nothing = { rows: {}, files: [] }
    expect((await forget(thread, WHO.champion)).removed).toEqual(nothing)
    expect((await forget(thread, 'nobody@nowhere.dev')).removed).toEqual(nothing)
    expect({ ...(await thread.status()), open: [] }).toEqual({ ...before, open: [] })
  })
})

describe('a step that runs meanwhile', () => {
  it('is waited for, so that it stores nothing of hers afterwards', async () => {
    const thread = await openThread({ origin })
    const { context, engine } = thread.app
    const holder = await context.pool.connect()
    const lock = 'select pg_advisory_lock(hashtextextended($1, 0))'
    await holder.query(lock, ['work identity all'])
    const id = await request(thread, WHO.champion)
    await engine.wake(['forget'])
    // The step has begun and waits.
    for (;;) {
      const run = context.db.selectFrom('run').select('id').where('step', '=', 'forget')
      if (await run.executeTakeFirst()) break
    }
    expect(await readReceipt(context.db, id)).toMatchObject({ removed: { files: [] } })
    await holder.query('select pg_advisory_unlock_all()')
    holder.release()
    for (const step of STEPS) await engine.idle([step])
    expect(await holdingsOf(thread.app, HERS)).toEqual([])
    expect(await readReceipt(context.db, id)).toMatchObject({ finishedAt: expect.anything() })
  })
})

describe.each([
  { what: 'pull', name: 'amplitude-AbCdEf' },
  { what: 'look at what was known', name: 'known-0c9a' },
])('what a killed $what left behind', ({ name }) => {
  it('goes with her', async () => {
    const thread = await openThread({ origin })
    const left = join(thread.app.context.tmpDir, name)
    await writeExports(smallUsage(NOW), left)
    expect(await holdingsOf(thread.app, HERS)).toContain('file export.jsonl')
    await forget(thread, WHO.champion)
    expect(await holdingsOf(thread.app, HERS)).toEqual([])
  })
})
