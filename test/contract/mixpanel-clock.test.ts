import { afterEach, describe, expect, it } from '@jest/globals'
import { type MixpanelSubject, openMixpanel, wallSeconds } from '../support/mixpanel-source.ts'

let open: MixpanelSubject | null = null
afterEach(async () => {
  await open?.close()
  open = null
})

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000

/** Rows of genuine exports, less what tells nobody anything: the numbers are as Mixpanel wrote them. */
const GENUINE = [
  {
    name: 'of a project at +5:30',
    timezone: 'Asia/Kolkata',
    row: {
      event: 'Login',
      properties: {
        time: 1_666_026_662,
        distinct_id: 'user-4c5a0a60@example.com',
        $user_id: 'user-4c5a0a60@example.com',
        $device_id: 'dev-25537ec10250',
        $insert_id: '11932b093ba1b703',
        $mp_api_timestamp_ms: 1_666_006_899_493,
        mp_processing_time_ms: 1_666_006_900_267,
      },
    },
    day: '2022-10-17',
    utc: '2022-10-17T11:41:02.000Z',
  },
  {
    name: 'of the same project in its night, which is another day in UTC',
    timezone: 'Asia/Kolkata',
    row: {
      event: 'Video_Open',
      properties: {
        time: 1_665_968_171,
        distinct_id: 'user-2bd95b20@example.com',
        $insert_id: '9bd9f3179ae1fa7e',
        $mp_api_timestamp_ms: 1_665_948_432_587,
        mp_processing_time_ms: 1_665_948_432_615,
      },
    },
    day: '2022-10-17',
    utc: '2022-10-16T19:26:11.000Z',
  },
  {
    name: 'of a project at -6, on the eve of its summer time',
    timezone: 'America/Mexico_City',
    row: {
      event: 'Search',
      properties: {
        time: 1_648_943_376,
        distinct_id: 'anon-9a9ecd7d89b3',
        $device_id: 'anon-9a9ecd7d89b3',
        $insert_id: '0m5q10ooiui3hwc2',
        $mp_api_timestamp_ms: 1_648_964_977_987,
        mp_processing_time_ms: 1_648_965_007_913,
      },
    },
    day: '2022-04-02',
    utc: '2022-04-03T05:49:36.000Z',
  },
  {
    name: 'of a project at -7, by its daylight saving',
    timezone: 'America/Los_Angeles',
    row: {
      event: 'Viewed E-commerce Page',
      properties: {
        time: 1_623_860_880,
        distinct_id: 'anon-93a6f0325cdb',
        $insert_id: 'c5eed127-c747-59c8-a5ed-d766f48e39a4',
        mp_processing_time_ms: 1_623_886_083_321,
      },
    },
    day: '2021-06-16',
    utc: '2021-06-16T23:28:00.000Z',
  },
  {
    name: 'of a project from 2023',
    timezone: 'UTC',
    row: {
      event: 'test',
      properties: {
        time: 1_684_951_135,
        $insert_id: 'gBDfegagszvqnBsBdDapllybFlqoBarmCEhD',
        $mp_api_timestamp_ms: 1_684_951_135_296,
        mp_processing_time_ms: 1_684_951_136_150,
      },
    },
    day: '2023-05-24',
    utc: '2023-05-24T17:58:55.000Z',
  },
]

describe('a genuine row', () => {
  it.each(GENUINE)('$name is at the right instant', async ({ row, timezone, day, utc }) => {
    const now = new Date(Date.parse(day) + 9 * DAY_MS)
    const events = new Map([[day, [JSON.stringify(row)]]])
    open = await openMixpanel({ now, sandbox: { events }, source: { timezone } })
    const [event, ...others] = await open.rows(day, day)
    expect(others).toEqual([])
    expect(event).toMatchObject({ window_key: day, occurred_at: new Date(utc) })
    // Mixpanel took it in soon after.
    const { $mp_api_timestamp_ms, mp_processing_time_ms } = row.properties
    const takenMs = $mp_api_timestamp_ms ?? mp_processing_time_ms
    expect(Math.abs(takenMs - Date.parse(utc))).toBeLessThan(2 * MINUTE_MS)
  })
})

interface Stretch {
  readonly name: string
  readonly timezone: string
  /** The change of the clock; events are written for a day before and after it. */
  readonly change: string
  readonly lateMs?: number
}

/** One event every ten minutes around a change of the clock, as an old project would hold them. */
function project({ timezone, change, lateMs = 900 }: Stretch) {
  const instants: Date[] = []
  const events = new Map<string, string[]>()
  for (
    let at = Date.parse(change) - DAY_MS;
    at < Date.parse(change) + DAY_MS;
    at += 10 * MINUTE_MS
  ) {
    const when = new Date(at)
    const time = wallSeconds(when, timezone)
    const day = new Date(time * 1000).toISOString().slice(0, 10)
    const properties = {
      time,
      distinct_id: 'ann',
      $insert_id: `at-${at}`,
      $mp_api_timestamp_ms: at + lateMs,
      mp_processing_time_ms: at + lateMs + 300,
    }
    instants.push(when)
    events.set(day, [...(events.get(day) ?? []), JSON.stringify({ event: 'Ticked', properties })])
  }
  return { instants, events }
}

const CHANGES: readonly Stretch[] = [
  { name: 'in spring', timezone: 'Europe/Berlin', change: '2026-03-29T01:00:00Z' },
  { name: 'in autumn', timezone: 'Europe/Berlin', change: '2026-10-25T01:00:00Z' },
  {
    name: 'in autumn, from phones that were offline for a while',
    timezone: 'Europe/Berlin',
    change: '2026-10-25T01:00:00Z',
    lateMs: 40 * MINUTE_MS,
  },
  { name: 'in spring', timezone: 'America/Los_Angeles', change: '2026-03-08T10:00:00Z' },
  { name: 'in autumn', timezone: 'America/Los_Angeles', change: '2026-11-01T09:00:00Z' },
  {
    name: 'in autumn, by half an hour',
    timezone: 'Australia/Lord_Howe',
    change: '2026-04-04T15:00:00Z',
  },
]

describe('a project whose clock is changed', () => {
  it.each(CHANGES)('$name ($timezone) has every event once, on its day', async (stretch) => {
    const { instants, events } = project(stretch)
    const { timezone, change } = stretch
    const now = new Date(Date.parse(change) + 5 * DAY_MS)
    open = await openMixpanel({ now, sandbox: { events }, source: { timezone } })
    const days = [...events.keys()].sort()
    const rows = await open.rows(days[0] ?? '', days.at(-1) ?? '')
    const got = rows.map((row) => (row['occurred_at'] as Date).toISOString())
    expect(got).toEqual(instants.map((at) => at.toISOString()))
    expect(new Set(rows.map((row) => row['event_key'])).size).toBe(instants.length)
    for (const [day, lines] of events) {
      expect(rows.filter((row) => row['window_key'] === day)).toHaveLength(lines.length)
    }
    if (stretch.lateMs !== undefined) return
    expect(await open.problems(days[0] ?? '', days.at(-1) ?? '')).toEqual([])
  })

  it.each(CHANGES)('$name ($timezone) has windows without a gap', async ({ timezone, change }) => {
    const now = new Date(Date.parse(change) + 5 * DAY_MS)
    open = await openMixpanel({ now, sandbox: { events: new Map() }, source: { timezone } })
    const windows = open.source.windows(new Date(Date.parse(change) - 3 * DAY_MS), now, now)
    expect(windows.slice(1).map(({ start }) => start)).toEqual(
      windows.slice(0, -1).map(({ end }) => end),
    )
    const lengths = windows.map(({ start, end }) => (end.getTime() - start.getTime()) / 3_600_000)
    expect(lengths.filter((hours) => hours !== 24)).toHaveLength(1)
  })
})

describe('a project whose zone is configured wrongly', () => {
  it('is refused, with what was measured and what to set', async () => {
    const { events } = project({
      name: '',
      timezone: 'Asia/Kolkata',
      change: '2022-10-17T12:00:00Z',
    })
    const now = new Date('2022-10-25T00:00:00Z')
    open = await openMixpanel({ now, sandbox: { events }, source: { timezone: 'UTC' } })
    const [problem] = await open.problems('2022-10-16', '2022-10-18')
    expect(problem).toContain('+5.50 h')
    expect(problem).toContain('MIXPANEL_TIMEZONE')
  })
})
