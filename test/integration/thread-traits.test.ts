import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { type Schedule, startSchedule } from '../../jobs/schedule.ts'
import { explain } from '../../src/app/explanation.ts'
import { loadTraits } from '../../src/app/load-traits.ts'
import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { eventually } from '../support/embedded-processes.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { viewPortal } from '../support/portal.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, NOW, openThread, type Thread } from '../support/thread.ts'

const status = `
status: { enter: 50, exit: 40, assist: 25, new-for: 7d, stale-after: 45d }
bands: [{ grade: D, from: 0 }, { grade: B, from: 50 }, { grade: A, from: 80 }]
`
const people = `
id: people
version: 1
subject: person
kind: conversion
predicts: won
window: 30d
exclude:
  - { label: Works for a competitor, trait: company_type, equals: COMPETITOR }
signals:
  - { id: activated, label: Reached activation, action: activated, points: 30 }
  - { id: invited, label: Invited, action: colleague_invited, points: 20, per: 1, max: 40 }
  - { id: founder, label: Founded the company, trait: job_title, equals: Founder, points: 10 }
  - { id: senior, label: Decides, trait: seniority, in: [Head, Lead], points: 5 }
  - { id: signed, label: Has a contract, trait: contract, equals: signed, points: 5 }
${status}`
const accounts = `
id: accounts
version: 1
subject: account
kind: conversion
predicts: won
window: 30d
people-model: people
signals:
  - { id: active, label: Active people, people: active, points: 15, per: 1, max: 60 }
  - { id: large, label: A hundred people, trait: head_count, gte: 100, points: 10 }
${status}`
const traits = `
version: 1
files:
  staff: { id: { column: email, is: email }, traits: { seniority: level } }
  contracts:
    id: { column: email, is: email }
    date: { column: since }
    traits: { contract: contract }
`

let mappings: MappingFiles
beforeAll(async () => {
  const files = await mappingFiles()
  const rest = Object.entries(files).filter(([name]) => !name.startsWith('models/'))
  mappings = {
    ...Object.fromEntries(rest),
    ...{ 'models/people.yaml': people, 'models/accounts.yaml': accounts, 'traits.yaml': traits },
  }
})
const schedules: Schedule[] = []
afterEach(async () => {
  for (const schedule of schedules.splice(0)) schedule.stop()
  await closeThreads()
})
afterAll(removeFolders)

const portalOf = ({ vendors }: Thread) => viewPortal(vendors.hubspot)
const contactOf = (thread: Thread, email: string) => portalOf(thread).contact(email)?.properties
const history = ({ app }: Thread) =>
  app.context.db
    .selectFrom('score_change as c')
    .innerJoin('person as p', 'p.id', 'c.subject_id')
    .select(['p.email', 'c.model', 'c.cause', 'c.from_sales', 'c.to_sales'])
    .where('c.cause', 'like', 'sales:%')
    .execute()

describe('what HubSpot says', () => {
  it('is in the scores and records when a first sync ends, and the next one writes nothing', async () => {
    const thread = await openThread({ mappings })
    thread.vendors.hubspot.seed({
      contacts: [
        { email: WHO.champion, jobtitle: 'Founder' },
        { email: WHO.veteran, hs_lead_status: 'UNQUALIFIED' },
      ],
      companies: [{ domain: DOMAINS.fresh, numberofemployees: '240' }],
      employments: [{ contact: 0, company: 0 }],
    })
    await thread.run()
    const portal = portalOf(thread)
    expect(contactOf(thread, WHO.champion)).toMatchObject({
      pql_score: '80',
      pql_grade: 'A',
      pql_sales_status: 'none',
    })
    expect(portal.company(DOMAINS.fresh)?.properties).toMatchObject({ pqa_score: '55' })
    expect(contactOf(thread, WHO.veteran)).toMatchObject({
      pql_score: '70',
      pql_sales_status: 'rejected',
      pql_usage_status: 'cooling',
    })
    expect(await history(thread)).toEqual([
      {
        ...{ email: WHO.veteran, model: 'people', cause: 'sales: rejected' },
        ...{ from_sales: 'none', to_sales: 'rejected' },
      },
    ])
    expect(await thread.run()).toMatchObject({ writeCalls: 0, recordsWritten: 0 })
    const told = await explain(thread.app.context.db, WHO.champion)
    expect(told?.traits).toContainEqual({
      ...{ name: 'job_title', value: 'Founder', origin: 'hubspot', endedAt: null },
      ...{ firstAt: NOW.toISOString(), lastAt: NOW.toISOString() },
    })
    expect(told?.traits).toContainEqual(
      expect.objectContaining({ name: 'plan', value: 'trial', origin: 'usage' }),
    )
    const rejected = await explain(thread.app.context.db, WHO.veteran)
    expect(rejected?.sales).toMatchObject({ status: 'rejected', source: 'hubspot' })
  })

  it('keeps a task from being created for an account that sales has rejected already', async () => {
    const thread = await openThread({ mappings })
    const company = { domain: DOMAINS.fresh, numberofemployees: '240' }
    thread.vendors.hubspot.seed({ companies: [{ ...company, hs_lead_status: 'UNQUALIFIED' }] })
    // Qualified already before HubSpot is asked.
    const loose = (mappings['models/accounts.yaml'] ?? '').replace('enter: 50', 'enter: 45')
    await thread.publish({ ...mappings, 'models/accounts.yaml': loose })
    await thread.run()
    expect(portalOf(thread).company(DOMAINS.fresh)?.properties).toMatchObject({
      pqa_sales_status: 'rejected',
      pqa_usage_status: 'cooling',
    })
    expect(portalOf(thread).tasks).toEqual([])
    const intents = thread.app.context.db.selectFrom('task_intent').select(['state', 'reason'])
    expect(await intents.execute()).toEqual([{ state: 'parked', reason: 'sales said no' }])
  })

  it('is read again by a worker when the hour is over', async () => {
    const thread = await openThread({ mappings })
    const { hubspot } = thread.vendors
    hubspot.seed({ contacts: [{ email: WHO.champion, jobtitle: 'Analyst' }] })
    await thread.run()
    expect(contactOf(thread, WHO.champion)).toMatchObject({ pql_score: '70' })
    const id = portalOf(thread).contact(WHO.champion)?.id ?? ''
    const url = `${thread.vendors.baseUrl}/crm/v3/objects/contacts/${id}`
    const token = thread.vendors.environment['HUBSPOT_ACCESS_TOKEN']
    const edited = await fetch(url, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ properties: { jobtitle: 'Founder' } }),
    })
    expect(edited.status).toBe(200)
    thread.setNow(new Date(NOW.getTime() + 3_600_000))
    schedules.push(startSchedule(thread.app.context, thread.app.engine))
    const score = async () => contactOf(thread, WHO.champion)?.['pql_score'] === '80'
    await eventually('the contact says the new score', score, 50_000)
  })
})

describe('what a file says', () => {
  it('is in the scores of those it is about, and of nobody else', async () => {
    const thread = await openThread({ mappings })
    await thread.pull()
    await thread.score()
    const { context, engine } = thread.app
    const path = join(context.tmpDir, 'staff.csv')
    await writeFile(path, `email,level\n${WHO.champion},Head\n${WHO.colleague},Junior\n`)
    await loadTraits(context, path, 'staff')
    await engine.wake(['score'])
    await engine.idle(['score'])
    const scores = await context.db
      .selectFrom('score as s')
      .innerJoin('person as p', 'p.id', 's.subject_id')
      .select(['p.email', 's.score'])
      .where('s.model', '=', 'people')
      .execute()
    const byEmail = Object.fromEntries(scores.map(({ email, score }) => [email, score]))
    expect(byEmail).toMatchObject({ [WHO.champion]: 75, [WHO.veteran]: 70, [WHO.colleague]: 0 })
  })
})

describe('what a file says from a later instant on', () => {
  it('counts from then on, for her and her account, with no other news', async () => {
    const thread = await openThread({ mappings })
    const { context } = thread.app
    await thread.pull()
    const path = join(context.lakeDir, '..', 'contracts.csv')
    await writeFile(path, `email,contract,since\n${WHO.champion},signed,2026-09-10T09:00:00Z\n`)
    await loadTraits(context, path, 'contracts')
    await thread.score()
    const { account_id, id } = await context.db
      .selectFrom('person')
      .select(['id', 'account_id'])
      .where('email', '=', WHO.champion)
      .executeTakeFirstOrThrow()
    const due = await context.db
      .selectFrom('score')
      .select(['subject_id', 'next_change_at'])
      .where('subject_id', 'in', [id, account_id ?? ''])
      .execute()
    const at = new Date('2026-09-10T09:00:00Z')
    expect(due.map((row) => row.next_change_at)).toEqual([at, at])
    const before = await explain(context.db, WHO.champion)
    expect(before?.scores[0]?.contributions.map((part) => part.id)).not.toContain('signed')
    thread.setNow(at)
    schedules.push(startSchedule(context, thread.app.engine))
    await eventually('her contract counts', async () => {
      const now = await explain(context.db, WHO.champion)
      return now?.scores[0]?.contributions.some((part) => part.id === 'signed') === true
    })
  })
})
