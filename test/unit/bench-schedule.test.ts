import { describe, expect, it } from '@jest/globals'
import { amplitudeRow } from '../../bench/ingest/amplitude-row.ts'
import { emptyExpectation, type PlannedRow, uploadHours } from '../../bench/ingest/schedule.ts'
import { verifyIngestion } from '../../bench/ingest/verify.ts'

const PROFILES = 60

function play() {
  const expected = emptyExpectation()
  const rows: PlannedRow[] = []
  const hours: string[] = []
  for (const hour of uploadHours(PROFILES, expected)) {
    hours.push(hour.hour)
    rows.push(...hour.rows)
  }
  return { expected, rows, hours }
}

const { expected, rows, hours } = play()
const lines = rows.map((row) => JSON.parse(amplitudeRow(row)))

describe('the generated export', () => {
  it('is the same every time', () => {
    const again = play()
    expect(again.rows.map(amplitudeRow)).toEqual(rows.map(amplitudeRow))
    expect(again.expected).toEqual(expected)
  })

  it('has eight events of each profile, name and day, copies left out', () => {
    const groups = new Map<string, Set<string>>()
    for (const line of lines) {
      const key = [line.amplitude_id, line.event_type, line.event_time.slice(0, 10)].join('|')
      groups.set(key, (groups.get(key) ?? new Set()).add(line.uuid))
    }
    expect(new Set([...groups.values()].map((uuids) => uuids.size))).toEqual(new Set([8]))
    expect(groups.size * 8).toBe(expected.events)
  })

  it('repeats some events in a later upload', () => {
    expect(lines).toHaveLength(expected.rows)
    expect(new Set(lines.map((line) => line.uuid)).size).toBe(expected.events)
    expect(expected.rows).toBeGreaterThan(expected.events)
  })

  it('lists each hour once, in order, with the rows that were uploaded in it', () => {
    expect(hours).toEqual([...new Set(hours)].sort())
    const uploads = lines.map((line) => line.server_upload_time.slice(0, 13).replace(' ', 'T'))
    expect([...new Set(uploads)]).toEqual(hours)
  })

  it('has people with several profiles and visitors without a name', () => {
    expect(expected.people.size).toBeLessThan(PROFILES)
    expect(lines.some((line) => line.user_id === null)).toBe(true)
  })
})

describe('the check of an ingestion', () => {
  const got = {
    rows: expected.rows,
    events: expected.events,
    people: expected.people.size,
    rollup: [...expected.rollup].map(([action, n]) => ({ action, rows: n, least: 8, most: 8 })),
  }

  it('accepts what was generated', () => {
    expect(() => verifyIngestion(expected, got)).not.toThrow()
  })

  it.each([
    { name: 'rows', wrong: { ...got, rows: got.rows - 1 } },
    { name: 'events', wrong: { ...got, events: got.rows } },
    { name: 'people', wrong: { ...got, people: got.people + 1 } },
    { name: 'a rollup without an action', wrong: { ...got, rollup: got.rollup.slice(1) } },
    {
      name: 'an action too many',
      wrong: { ...got, rollup: [...got.rollup, { action: 'x', rows: 1, least: 8, most: 8 }] },
    },
    {
      name: 'a copy that counts',
      wrong: { ...got, rollup: got.rollup.map((row) => ({ ...row, most: 9 })) },
    },
  ])('refuses wrong $name', ({ wrong }) => {
    expect(() => verifyIngestion(expected, wrong)).toThrow('the ingestion is wrong')
  })
})
