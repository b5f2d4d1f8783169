import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { sql } from 'kysely'
import type { RecordPreview } from '../../jobs/steps/preview-records.ts'
import type { SyncResult } from '../../src/app/cli/commands/sync.ts'
import { findPerson } from '../../src/app/explanation.ts'
import { draftOf, type PreviewChoice, previewSync, spread } from '../../src/app/preview.ts'
import { type MappingFiles, parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { crmNeeds } from '../../src/core/sync/crm-needs.ts'
import { crmSetup } from '../../src/core/sync/crm-setup.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
beforeAll(async () => {
  origin = await pulledState()
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

async function openScored(): Promise<Thread> {
  const thread = await openThread({ origin, working: false })
  // Nobody writes until the test says so.
  thread.app.engine.start(['score', 'desire'], [])
  await thread.score()
  const { crm, set } = await connected(thread)
  const mapping = set.crms.get('hubspot')
  for (const { plan } of mapping ? crmNeeds(mapping).objects : []) {
    await crm.provision(plan, new AbortController().signal)
  }
  return thread
}

async function connected({ app }: Thread, draft?: MappingFiles) {
  const { set: published } = await readEffective(app.context.db)
  const { set, isScored } = draft
    ? draftOf(parseMappingSet(draft), published)
    : { set: published, isScored: false }
  const mapping = set.crms.get('hubspot') ?? null
  const crm = app.context.crms.get('hubspot')?.connect?.(crmSetup(mapping))
  if (!crm) throw new Error('hubspot is not connected')
  return { crm, set, isScored }
}

function sync(thread: Thread): Promise<SyncResult> {
  thread.app.engine.start(['reconcile'], ['hubspot'])
  return thread.sync()
}

async function preview(thread: Thread, choice: PreviewChoice = {}, draft?: MappingFiles) {
  const { crm, set, isScored } = await connected(thread, draft)
  const { signal } = new AbortController()
  return previewSync(thread.app.context, crm, set, choice, signal, isScored)
}

/** All that is stored of scores. */
async function scoresIn({ app }: Thread): Promise<string> {
  const { rows } = await sql<{ row: string }>`select t::text as row from score t
    union all select t::text from score_change t order by 1`.execute(app.context.db)
  return rows.map(({ row }) => row).join()
}

const changing = (records: readonly RecordPreview[]) =>
  records
    .filter(({ step }) => step === 'create' || step === 'update')
    .map(({ step, name }) => `${step} ${name}`)

/** What every table holds, but for those that keep count of calls. */
async function tables({ app: { context } }: Thread): Promise<Record<string, string>> {
  const { rows: names } = await sql<{ name: string }>`select tablename as name from pg_tables
    where schemaname = 'public' and tablename not like 'pace%' order by 1`.execute(context.db)
  const held: Record<string, string> = {}
  for (const { name } of names) {
    const { rows } = await sql<{ row: string }>`select t::text as row
      from ${sql.table(name)} t order by 1`.execute(context.db)
    held[name] = createHash('sha256').update(JSON.stringify(rows)).digest('hex')
  }
  return held
}

describe('a look before the write', () => {
  it('writes nothing to the CRM or the database, and tells what the sync then does', async () => {
    const thread = await openScored()
    const before = await tables(thread)
    const { hubspot } = thread.vendors
    hubspot.resetCalls()
    const { records, totals, writeCalls } = await preview(thread)
    expect(hubspot.calls().filter(({ kind }) => kind === 'write')).toEqual([])
    expect(hubspot.calls().length).toBeGreaterThan(0)
    expect(await tables(thread)).toEqual(before)
    expect(changing(records).sort()).toEqual(
      [DOMAINS.fresh, DOMAINS.old, WHO.champion, WHO.loner, WHO.veteran]
        .map((name) => `create ${name}`)
        .sort(),
    )
    expect(writeCalls).toBe(2)
    const synced = await sync(thread)
    expect(synced.created).toBe(totals.reduce((n, { create }) => n + create, 0))
    expect(changing((await preview(thread)).records)).toEqual([])
  })

  it('tells old and new of what somebody changed in the CRM, and of nothing else', async () => {
    const thread = await openScored()
    await sync(thread)
    const { hubspot } = thread.vendors
    const contact = hubspot
      .records('contacts')
      .find(({ properties }) => properties['email'] === WHO.champion)
    hubspot.edit('contacts', contact?.id ?? '', { pql_score: '3' })
    const { records } = await preview(thread)
    const [one, ...others] = records.filter(({ fields }) => fields.length > 0)
    expect(others).toEqual([])
    expect(one).toMatchObject({
      name: WHO.champion,
      crmId: contact?.id,
      fields: [{ property: 'pql_score', old: '3', new: 70 }],
    })
  })

  it('makes nobody again whom somebody deleted, as the mapping says', async () => {
    const thread = await openScored()
    await sync(thread)
    const { hubspot } = thread.vendors
    const contact = hubspot
      .records('contacts')
      .find(({ properties }) => properties['email'] === WHO.loner)
    hubspot.archive('contacts', contact?.id ?? '')
    const { records } = await preview(thread)
    const gone = records.find(({ name }) => name === WHO.loner)
    expect(gone).toMatchObject({
      step: 'unlinked',
      reason: expect.stringMatching(/deleted.*keep-away/),
    })
  })

  it('of files that are not published holds their properties against the CRM', async () => {
    const thread = await openScored()
    await sync(thread)
    const draft = await mappingFiles(
      {
        file: 'hubspot.yaml',
        from: 'pql_grade:\n        from: grade',
        to: 'pql_grade:\n        from: trend',
      },
      { file: 'models/people.yaml', from: 'from: 80', to: 'from: 95' },
    )
    const { records } = await preview(thread, {}, draft)
    // What explains a score is written with it: the policy of the live path is told, and not a wish.
    const held = records.flatMap((one) => one.held)
    expect(held.map(({ property, why }) => `${property}: ${why}`)).toEqual(
      Array.from({ length: 3 }, () => 'pql_grade: small-change'),
    )
    expect(records.flatMap(({ fields }) => fields)).toEqual([])
    const { set } = await readEffective(thread.app.context.db)
    expect(draftOf(parseMappingSet(draft), set)).toMatchObject({ isScored: true, notes: [] })
    expect(draftOf(set, set)).toMatchObject({ isScored: false, notes: [] })
  })

  it.each([
    { whom: 'everybody', choose: async (): Promise<PreviewChoice> => ({}) },
    {
      whom: 'one person',
      choose: async ({ app }: Thread): Promise<PreviewChoice> => {
        const found = await findPerson(app.context.db, WHO.champion)
        const company = found?.account_id ? [found.account_id] : []
        return { refs: { contact: found ? [found.id] : [], company } }
      },
    },
  ])(
    'of a draft of a model tells for $whom the scores that come with it, and stores none',
    async ({ choose }) => {
      const thread = await openScored()
      await sync(thread)
      const draft = await mappingFiles({
        file: 'models/people.yaml',
        from: 'action: activated, points: 30',
        to: 'action: activated, points: 45',
      })
      const before = await scoresIn(thread)
      const { records } = await preview(thread, await choose(thread), draft)
      expect(await scoresIn(thread)).toBe(before)
      const contact = records.find(({ name }) => name === WHO.champion)
      expect(contact?.fields).toContainEqual({ property: 'pql_score', old: '70', new: 85 })
      await thread.publish(draft)
      await thread.score()
      await thread.sync()
      const said = thread.vendors.hubspot
        .records('contacts')
        .find(({ properties }) => properties['email'] === WHO.champion)
      for (const { property, new: value } of contact?.fields ?? []) {
        expect([property, said?.properties[property]]).toEqual([property, String(value)])
      }
    },
  )

  it('is refused with the mend where our own key is not in the CRM yet', async () => {
    const thread = await openThread({ origin })
    await expect(preview(thread)).rejects.toThrow(/no property pqa_account_id.*ripen provision/)
  })

  it('of a sample looks at so many of each object, the same ones each time', async () => {
    const thread = await openScored()
    const first = await preview(thread, { sample: 2 })
    expect(first.totals).toMatchObject([
      { object: 'company', looked: 2 },
      { object: 'contact', looked: 2 },
    ])
    const second = await preview(thread, { sample: 2 })
    expect(second.records.map(({ ref }) => ref)).toEqual(first.records.map(({ ref }) => ref))
  })
})

describe('a spread', () => {
  it.each([
    { all: 10, wanted: 2, want: [2, 7] },
    { all: 3, wanted: 5, want: [0, 1, 2] },
    { all: 5, wanted: 5, want: [0, 1, 2, 3, 4] },
    { all: 0, wanted: 3, want: [] },
  ])('of $wanted among $all is even', ({ all, wanted, want }) => {
    expect(
      spread(
        Array.from({ length: all }, (_, i) => i),
        wanted,
      ),
    ).toEqual(want)
  })
})
