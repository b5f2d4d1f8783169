import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { clockProblemsSql } from '../../connectors/sources/mixpanel/clock-problems-sql.ts'
import { narrowEventsSql } from '../../connectors/sources/mixpanel/events-sql.ts'
import { type Duck, startDuck } from '../../src/infra/lake/duck.ts'

let dir = ''
let duck: Duck

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ripen clock '))
  duck = await startDuck({ dataDir: dir, memoryMb: 256 })
})

afterAll(async () => {
  duck.close()
  await rm(dir, { recursive: true, force: true })
})

interface Rows {
  readonly start: string
  readonly count: number
  /** How far the project's clock is ahead of UTC, in seconds. */
  readonly aheadS: number
  readonly imported?: boolean
  /** Events that were taken in a day after they happened. */
  readonly late?: number
}

async function problemsOf(rows: Rows, timezone: string): Promise<string[]> {
  const lines = Array.from({ length: rows.count }, (_, i) => {
    const at = Date.parse(rows.start) + i * 60_000
    const takenMs = at + (i < (rows.late ?? 0) ? 86_400_000 : 300)
    const properties = {
      time: at / 1000 + rows.aheadS,
      $insert_id: `i${i}`,
      $mp_api_timestamp_ms: takenMs,
      ...(rows.imported ? { $import: true } : {}),
    }
    return JSON.stringify({ event: 'Login', properties })
  })
  const path = join(dir, 'export.jsonl')
  await writeFile(path, `${lines.join('\n')}\n`)
  const query = clockProblemsSql([{ path, windowKey: null }], timezone)
  const found = await duck.connect((c) => c.rows(query.sql, query.params))
  expect(await problemsOfBatch(path, timezone)).toEqual(found)
  return found.map((row) => String(row['problem']))
}

/** The same told by the rows that are stored. */
async function problemsOfBatch(path: string, timezone: string): Promise<unknown> {
  const narrow = narrowEventsSql([{ path, windowKey: null }], [], timezone)
  if (!narrow?.problems) throw new Error('the clock is not looked at')
  const { problems } = narrow
  return duck.connect(async (c) => {
    await c.run(`create or replace temp table batch as ${narrow.sql}`, narrow.params)
    return c.rows(problems.sql, problems.params)
  })
}

const KOLKATA_S = 19_800

describe("the clock of a Mixpanel project's events", () => {
  it.each<{ name: string; rows: Rows; timezone: string; problems: number }>([
    {
      name: 'agrees with the configured zone',
      rows: { start: '2022-10-17T05:00:00Z', count: 40, aheadS: KOLKATA_S },
      timezone: 'Asia/Kolkata',
      problems: 0,
    },
    {
      name: 'is refused when the project is old and no zone is configured',
      rows: { start: '2022-10-17T05:00:00Z', count: 40, aheadS: KOLKATA_S },
      timezone: 'UTC',
      problems: 1,
    },
    {
      name: 'is refused when the project is new and a zone is configured',
      rows: { start: '2024-07-01T12:00:00Z', count: 40, aheadS: 0 },
      timezone: 'Europe/Berlin',
      problems: 1,
    },
    {
      name: 'is told by the rows that came soonest, where most came late',
      rows: { start: '2024-07-01T12:00:00Z', count: 40, aheadS: 0, late: 25 },
      timezone: 'UTC',
      problems: 0,
    },
    {
      name: 'follows daylight saving of the zone in summer',
      rows: { start: '2021-06-16T12:00:00Z', count: 40, aheadS: -25_200 },
      timezone: 'America/Los_Angeles',
      problems: 0,
    },
    {
      name: 'follows the zone in winter',
      rows: { start: '2021-12-16T12:00:00Z', count: 40, aheadS: -28_800 },
      timezone: 'America/Los_Angeles',
      problems: 0,
    },
    {
      name: 'is not judged by a few events',
      rows: { start: '2022-10-17T05:00:00Z', count: 19, aheadS: KOLKATA_S },
      timezone: 'UTC',
      problems: 0,
    },
    {
      name: 'is not judged by imported events, whose clock is their own',
      rows: { start: '2022-10-17T05:00:00Z', count: 40, aheadS: KOLKATA_S, imported: true },
      timezone: 'UTC',
      problems: 0,
    },
    {
      name: 'is not judged by a minority of late events',
      rows: { start: '2024-07-01T12:00:00Z', count: 40, aheadS: 0, late: 15 },
      timezone: 'UTC',
      problems: 0,
    },
  ])('$name', async ({ rows, timezone, problems }) => {
    expect(await problemsOf(rows, timezone)).toHaveLength(problems)
  })

  it('is told with the day, the difference and the variable to set', async () => {
    const rows = { start: '2022-10-17T05:00:00Z', count: 40, aheadS: KOLKATA_S }
    const [problem] = await problemsOf(rows, 'UTC')
    expect(problem).toContain('2022-10-17')
    expect(problem).toContain('+5.50 h')
    expect(problem).toContain('MIXPANEL_TIMEZONE')
  })
})
