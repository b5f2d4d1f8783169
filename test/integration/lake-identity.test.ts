import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { eventsSql } from '../../connectors/sources/mixpanel/events-sql.ts'
import { type IdentityFact, resolvePeople } from '../../src/core/identity/people.ts'
import { peopleRules } from '../../src/core/identity/rules.ts'
import { NO_IDENTITY_MAPPING } from '../../src/core/mapping/identity-mapping.ts'
import { EVERYTHING } from '../../src/core/usage/kept.ts'
import { writeEventsFile } from '../../src/infra/lake/events-file.ts'
import { readFacts } from '../../src/infra/lake/facts-reader.ts'
import { type EventRow, openTempLake, planOf, type TempLake, usage } from '../support/lake-temp.ts'

let lake: TempLake
let files = 0
beforeAll(async () => {
  lake = await openTempLake()
})
afterAll(() => lake.close())

type Row = Readonly<Record<string, unknown>> & { readonly event?: string }
const TIME = Date.parse('2026-09-01T10:00:00Z') / 1000

/** What Mixpanel's rows say about identities. */
async function mixpanelFacts(rows: readonly Row[]): Promise<readonly IdentityFact[]> {
  const path = join(lake.dir, `identity-${files++}.jsonl`)
  const lines = rows.map(({ event = 'Query Run', ...properties }, i) =>
    JSON.stringify({ event, properties: { time: TIME, $insert_id: `i${i}`, ...properties } }),
  )
  await writeFile(path, lines.map((line) => `${line}\n`).join(''))
  const events = eventsSql([{ path, windowKey: null }], 'UTC')
  const plan = planOf(usage(), [EVERYTHING])
  return lake.duck.connect(async (c) => {
    const file = await writeEventsFile(c, lake.lakeDir, 'mixpanel', events, plan)
    const live = file.windows.map(({ key }) => ({ fileId: file.id ?? '', partition: key }))
    return readFacts(c, lake.lakeDir, 'mixpanel', live, plan.facts)
  })
}

/** Who is one person by these rows: ids without the source, sorted. */
async function peopleOf(rows: readonly Row[]): Promise<string[][]> {
  const rules = peopleRules(NO_IDENTITY_MAPPING, new Set(['mixpanel']))
  const { people } = resolvePeople(await mixpanelFacts(rows), new Map(), (node) => node, rules)
  return people.map(({ nodes }) => nodes.map((node) => node.slice('mixpanel/'.length))).sort()
}

describe('people of a Mixpanel project', () => {
  it.each<{ name: string; rows: readonly Row[]; want: readonly (readonly string[])[] }>([
    {
      name: 'of the original kind are joined by $identify, with what the device did before',
      rows: [
        { distinct_id: 'uuid-1', $device_id: 'uuid-1' },
        { event: '$identify', distinct_id: 'bob', $identified_id: 'bob', $anon_id: 'uuid-1' },
        { distinct_id: 'bob' },
      ],
      want: [['a:bob', 'd:uuid-1']],
    },
    {
      name: 'are joined where the canonical id is that of another device',
      rows: [
        { distinct_id: 'uuid-1', $device_id: 'uuid-1' },
        { distinct_id: 'uuid-1', $device_id: 'uuid-2' },
      ],
      want: [['a:uuid-1', 'd:uuid-1', 'd:uuid-2']],
    },
    {
      name: 'are joined by $create_alias',
      rows: [
        { distinct_id: 'bob' },
        { event: '$create_alias', distinct_id: 'uuid-1', alias: 'bob' },
        { distinct_id: 'uuid-1' },
      ],
      want: [['a:bob', 'a:uuid-1']],
    },
    {
      name: 'are joined by $merge, even if it names nobody else',
      rows: [
        { $user_id: 'bob', distinct_id: 'bob' },
        { $user_id: 'bob2', distinct_id: 'bob2' },
        { event: '$merge', $distinct_ids: ['bob', 'bob2'] },
      ],
      want: [['a:bob', 'a:bob2', 'u:bob', 'u:bob2']],
    },
    {
      name: 'of the simplified kind are joined by user and device on one event',
      rows: [
        { distinct_id: '$device:d1', $device_id: 'd1' },
        { distinct_id: 'ann', $user_id: 'ann', $device_id: 'd1' },
        { distinct_id: 'ann' },
      ],
      want: [['a:ann', 'd:d1', 'u:ann']],
    },
    {
      name: 'are joined by an $anon_id that says that it is a device',
      rows: [
        { distinct_id: '$device:d1' },
        { event: '$identify', $identified_id: 'ann', $anon_id: '$device:d1' },
      ],
      want: [['a:ann', 'd:d1']],
    },
    {
      name: 'are not joined by what Mixpanel refused',
      rows: [
        { distinct_id: 'bob' },
        {
          event: '$merge',
          distinct_id: 'bob',
          $distinct_ids: ['bob', 'eve'],
          $failure_reason: 'x',
        },
        { distinct_id: 'eve' },
      ],
      want: [['a:bob'], ['a:eve']],
    },
    {
      name: 'are not joined by junk',
      rows: [
        { event: '$create_alias', distinct_id: 'bob', alias: 'undefined' },
        { event: '$create_alias', distinct_id: 'eve', alias: 'undefined' },
      ],
      want: [['a:bob'], ['a:eve']],
    },
    {
      name: 'are not joined by a device that two of them were identified on',
      rows: [
        { event: '$identify', distinct_id: 'bob', $identified_id: 'bob', $anon_id: 'uuid-1' },
        { event: '$identify', distinct_id: 'eve', $identified_id: 'eve', $anon_id: 'uuid-1' },
      ],
      want: [['a:bob'], ['a:eve'], ['d:uuid-1']],
    },
    {
      name: 'without user ids are not joined by a device that they shared',
      rows: [
        { distinct_id: 'bob', $device_id: 'kiosk' },
        { distinct_id: 'eve', $device_id: 'kiosk' },
      ],
      want: [['a:bob'], ['a:eve'], ['d:kiosk']],
    },
  ])('$name', async ({ rows, want }) => {
    expect(await peopleOf(rows)).toEqual(want)
  })

  it('fall apart again when the window with the $merge is withdrawn', async () => {
    const rows = [
      { distinct_id: 'bob' },
      { distinct_id: 'eve' },
      { event: '$merge', distinct_id: 'bob', $distinct_ids: ['bob', 'eve'], time: TIME + 86_400 },
    ]
    expect(await peopleOf(rows)).toEqual([['a:bob', 'a:eve']])
    expect(await peopleOf(rows.slice(0, 2))).toEqual([['a:bob'], ['a:eve']])
  })
})

/** The analytics groups that these events put their users in. */
async function groupsOf(places: readonly string[], rows: readonly EventRow[]) {
  const plan = planOf(usage({ account: places }))
  return lake.duck.connect(async (c) => {
    const events = await lake.query(rows)
    const file = await writeEventsFile(c, lake.lakeDir, 'amplitude', events, plan)
    const live = file.windows.map(({ key }) => ({ fileId: file.id ?? '', partition: key }))
    const facts = await readFacts(c, lake.lakeDir, 'amplitude', live, plan.facts)
    return facts.filter(({ kind }) => kind === 'account').map(({ value }) => value)
  })
}

describe('the analytics group', () => {
  it.each<{ name: string; row: Partial<EventRow>; want: string[] }>([
    { name: 'is the key', row: { groups: { company: 'ws-1' } }, want: ['ws-1'] },
    { name: 'is the first of several', row: { groups: { company: ['B', 'A'] } }, want: ['B'] },
    { name: 'is a number too', row: { groups: { company: 17 } }, want: ['17'] },
    { name: 'may be an event property', row: { event: { company_id: ' ws-2 ' } }, want: ['ws-2'] },
    {
      name: 'stands in the first place that has one',
      row: { groups: { company: 'ws-1' }, event: { company_id: 'ws-2' } },
      want: ['ws-1'],
    },
    {
      name: 'is looked for further where a place holds junk',
      row: { groups: { company: 'unknown' }, event: { company_id: 'ws-2' } },
      want: ['ws-2'],
    },
    { name: 'is none in an empty list', row: { groups: { company: [] } }, want: [] },
    { name: 'is none in an object', row: { groups: { company: { id: 1 } } }, want: [] },
    { name: 'is none where nothing stands', row: {}, want: [] },
  ])('$name', async ({ row, want }) => {
    const rows = [{ key: 1, user: 'ann', ...row }]
    expect(await groupsOf(['group.company', 'event.company_id'], rows)).toEqual(want)
  })
})
