import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { explain } from '../../src/app/explanation.ts'
import type { MappingFiles } from '../../src/core/mapping/mapping-set.ts'
import { readEventNames } from '../../src/infra/lake/event-inventory.ts'
import { loadLive } from '../../src/infra/lake/live.ts'
import { liveWindows } from '../../src/infra/postgres/manifest.ts'
import { makeFolder } from '../support/embedded-processes.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
let dir = ''
beforeAll(async () => {
  origin = await pulledState()
  dir = await makeFolder('files')
})
afterEach(closeThreads)
afterAll(async () => {
  await origin.close()
  await removeFolders()
})

const CSV = `version: 1
format: csv
columns:
  time: { column: when, format: '%d.%m.%Y %H:%M', zone: Europe/Berlin }
  event: { column: action }
  user: member
  id: row
`
const JSONL = `version: 1
format: jsonl
replace: file
columns:
  time: { column: ts, format: epoch-ms }
  event: { always: page_viewed }
  device: browser
`
const HEADER = 'row,when,action,member,email,path'

const declaring = async (name: string, text: string): Promise<MappingFiles> => ({
  ...(await mappingFiles()),
  [`sources/${name}.yaml`]: text,
})

let count = 0
async function fileOf(lines: readonly string[], name = `events-${count++}.csv`): Promise<string> {
  const path = join(dir, name)
  const text = lines.map((line) => `${line}\n`).join('')
  await writeFile(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return path
}

async function scoreOf(thread: Thread, who: string): Promise<number | undefined> {
  await thread.score()
  return (await explain(thread.app.context.db, who))?.scores[0]?.score
}

/** Instants of all live events of a source, with their windows. */
async function eventsOf({ app: { context } }: Thread, source: string) {
  const live = await liveWindows(context.db, source)
  const rows = await context.duck.connect(async (c) => {
    const paths = await loadLive(c, context.lakeDir, live)
    return c.rows(
      `select name, occurred_at::varchar as at, window_key, profile
       from read_parquet($paths, filename = true) e
       semi join live on e.filename = live.path and e.window_key = live.partition
       order by occurred_at, name, profile`,
      { paths },
    )
  })
  return rows.map((row) => Object.values(row).join(' '))
}

async function failureOf(thread: Thread, name: string, paths: readonly string[]): Promise<string> {
  const pulled = await thread.pull([name], paths).then(
    () => 'pulled',
    (error: Error) => error.message,
  )
  expect(await liveWindows(thread.app.context.db, name)).toEqual([])
  return pulled
}

describe('a CSV file with declared columns', () => {
  it('becomes events, people, rollups and scores beside the vendors', async () => {
    const thread = await openThread({ origin, mappings: await declaring('app-log', CSV) })
    expect(await scoreOf(thread, WHO.champion)).toBe(70)
    const path = await fileOf([
      HEADER,
      `1,09.09.2026 10:00,page_viewed,900,${WHO.champion},/pricing`,
      `2,09.09.2026 11:00,API Key Created,900,${WHO.champion},`,
      '3,09.09.2026 12:00,"said ""hello, you""",901,kim@brand-new.dev,',
    ])
    await thread.pull(['app-log'], [path])
    // 10 for the prices and 15 for the key.
    expect(await scoreOf(thread, WHO.champion)).toBe(95)
    expect(await explain(thread.app.context.db, WHO.champion)).toMatchObject({
      identities: expect.arrayContaining(['app-log/u:900', 'amplitude/u:a-ana']),
    })
    expect(await thread.status()).toMatchObject({
      people: 11,
      sources: { 'app-log': { events: 3, rows: 3, windows: 1, firstDay: '2026-09-09' } },
    })
    const { duck, db, lakeDir } = thread.app.context
    const live = await liveWindows(db, 'app-log')
    const names = await duck.connect((c) => readEventNames(c, lakeDir, 'app-log', live, []))
    expect(names.map(({ name }) => name)).toContain('said "hello, you"')
  })

  it('tells instants in the zone of its clock, on both sides of the change of clocks', async () => {
    const thread = await openThread({ mappings: await declaring('app-log', CSV) })
    const path = await fileOf([
      HEADER,
      '1,28.03.2026 12:00,winter,1,,',
      '2,29.03.2026 01:59,last,1,,',
      '3,29.03.2026 03:00,first,1,,',
      '4,24.10.2026 23:30,summer,1,,',
      // This hour is skipped, and that one occurs twice.
      '6,29.03.2026 02:30,skipped,1,,',
      '7,25.10.2026 02:30,twice,1,,',
      '5,26.10.2026 00:30,again,1,,',
    ])
    await thread.pull(['app-log'], [path])
    expect(await eventsOf(thread, 'app-log')).toEqual([
      'winter 2026-03-28 11:00:00 2026-03-28 u:1',
      'last 2026-03-29 00:59:00 2026-03-29 u:1',
      'first 2026-03-29 01:00:00 2026-03-29 u:1',
      'skipped 2026-03-29 01:30:00 2026-03-29 u:1',
      'summer 2026-10-24 21:30:00 2026-10-24 u:1',
      'twice 2026-10-25 01:30:00 2026-10-25 u:1',
      'again 2026-10-25 23:30:00 2026-10-25 u:1',
    ])
  })

  it('replaces the days it holds, and two lines of one id count once', async () => {
    const thread = await openThread({ mappings: await declaring('app-log', CSV) })
    const first = await fileOf([
      HEADER,
      '1,09.09.2026 10:00,Query Run,1,,',
      '1,09.09.2026 10:00,Query Run,1,,',
      '2,10.09.2026 10:00,Query Run,1,,',
    ])
    await thread.pull(['app-log'], [first])
    expect(await thread.status()).toMatchObject({ sources: { 'app-log': { events: 2, rows: 3 } } })
    const [a, b] = [
      await fileOf([HEADER, '7,10.09.2026 11:00,Query Run,1,,']),
      await fileOf([HEADER, '8,10.09.2026 12:00,Query Run,2,,'], 'more.csv.gz'),
    ]
    await thread.pull(['app-log'], [a, b])
    // The day that both files hold a part of is theirs together; the other day stays.
    expect((await eventsOf(thread, 'app-log')).filter((e) => e.includes(' 2026-09-10 u'))).toEqual([
      'Query Run 2026-09-10 09:00:00 2026-09-10 u:1',
      'Query Run 2026-09-10 10:00:00 2026-09-10 u:2',
    ])
    expect(await thread.status()).toMatchObject({ sources: { 'app-log': { events: 3 } } })
  })

  it.each([
    {
      name: 'a time that is none',
      lines: [HEADER, '1,09.09.2026 10:00,a,1,,', '2,2026-09-09,a,ann@acme.com,,'],
      says: /line 3 holds in when no time of the format %d\.%m\.%Y %H:%M .*columns\.time\.format/,
    },
    {
      name: 'a line after one that spans two',
      lines: [HEADER, '1,09.09.2026 10:00,"a\nb",1,,', '2,,a,ann@acme.com,,'],
      says: /line 4 has nothing in when.*columns\.time\.column/,
    },
    {
      name: 'an event without a name',
      lines: [HEADER, '1,09.09.2026 10:00, ,ann@acme.com,,'],
      says: /line 2 has nothing in action.*columns\.event/,
    },
    {
      name: 'a line with too many columns',
      lines: [HEADER, '1,09.09.2026 10:00,a,1,,', '2,09.09.2026 10:00,a,ann@acme.com,,,x'],
      says: /\.csv line 3 has 7 columns where the header has 6.*delimiter/,
    },
    {
      name: 'a quote that is never closed',
      lines: [HEADER, '1,09.09.2026 10:00,a,1,,', '2,09.09.2026 10:00,"a,ann@acme.com,,'],
      says: /\.csv line 3 opens a quote that is never closed/,
    },
    {
      name: 'a header without a column',
      lines: ['row;when;action;member', '1;09.09.2026 10:00;a;1'],
      says: /line 1: there is no column when, action, member, row; the file has row;when.*sources\/app-log\.yaml/,
    },
  ])('is refused whole for $name, naming the line and the mend', async ({ lines, says }) => {
    const thread = await openThread({ mappings: await declaring('app-log', CSV) })
    const good = await fileOf([HEADER, '1,08.09.2026 10:00,a,1,,'])
    const failure = await failureOf(thread, 'app-log', [good, await fileOf(lines)])
    expect(failure).toMatch(says)
    expect(failure).not.toContain('ann@')
  })
})

describe('a JSONL file with declared columns', () => {
  it('is a window of its own where files replace files', async () => {
    const thread = await openThread({ origin, mappings: await declaring('web', JSONL) })
    const at = Date.parse('2026-09-09T10:00:00Z')
    const line = (browser: string, more = {}) =>
      JSON.stringify({ ts: at, browser, path: '/pricing', 'odd "name"': [1], ...more })
    const [first, second] = ['part-1.jsonl', 'part-2.jsonl.gz']
    const files = [
      await fileOf([line('b1', { email: WHO.champion }), '', line('b2')], first),
      await fileOf([line('b3')], second),
    ]
    await thread.pull(['web'], files)
    expect(await eventsOf(thread, 'web')).toEqual([
      'page_viewed 2026-09-09 10:00:00 part-1.jsonl d:b1',
      'page_viewed 2026-09-09 10:00:00 part-1.jsonl d:b2',
      'page_viewed 2026-09-09 10:00:00 part-2.jsonl d:b3',
    ])
    expect(await scoreOf(thread, WHO.champion)).toBe(80)
    await thread.pull(['web'], [await fileOf([], first)])
    expect(await thread.status()).toMatchObject({ sources: { web: { events: 1 } } })
    expect(await scoreOf(thread, WHO.champion)).toBe(70)
  })

  it.each([
    { name: 'cut', bad: '{"ts":178', says: /line 3 is no JSON object/ },
    { name: 'a list', bad: '["ann@acme.com"]', says: /line 3 is no JSON object/ },
    { name: 'in other units', bad: '{"ts":1788256800}', says: /line 3 holds in ts no time/ },
    { name: 'far beyond', bad: '{"ts":1e300}', says: /line 3 holds in ts no time/ },
  ])('with a line that is $name is refused with its number', async ({ bad, says }) => {
    const thread = await openThread({ mappings: await declaring('web', JSONL) })
    const good = '{"ts":1788256800000,"browser":"x"}'
    const failure = await failureOf(thread, 'web', [
      await fileOf([good, '', bad, good], 'bad.jsonl'),
    ])
    expect(failure).toMatch(says)
    expect(failure).not.toContain('ann@')
  })
})

describe('times', () => {
  it.each([
    { format: 'iso', text: '2026-09-09T10:00:00.250+02:00', want: '2026-09-09 08:00:00.25' },
    { format: 'iso', text: '2026-09-09T10:00:00Z', want: '2026-09-09 10:00:00' },
    { format: 'iso', text: '2026-09-09 10:00', want: '2026-09-09 14:00:00' },
    { format: 'iso', text: '2026-09-09', want: '2026-09-09 04:00:00' },
    { format: 'epoch-s', text: '1788948000.5', want: '2026-09-09 10:00:00.5' },
    { format: '%Y%m%d%H%M%S %z', text: '20260909100000 +0200', want: '2026-09-09 08:00:00' },
    { format: '%m/%d/%Y %I:%M %p', text: '9/9/2026 1:05 PM', want: '2026-09-09 17:05:00' },
  ])('of the format $format: $text', async ({ format, text, want }) => {
    const zoned = CSV.replace(
      /time: .*/,
      `time: { column: when, format: '${format}', zone: America/New_York }`,
    )
    const thread = await openThread({ mappings: await declaring('app-log', zoned) })
    await thread.pull(['app-log'], [await fileOf([HEADER, `1,${text},a,1,,`])])
    expect(await eventsOf(thread, 'app-log')).toEqual([`a ${want} 2026-09-09 u:1`])
  })
})
