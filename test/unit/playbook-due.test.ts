import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { DateTime } from 'luxon'
import type { WorkingHours } from '../../src/core/mapping/playbook-assignment.ts'
import { dayIn, dueAt, zoneOf } from '../../src/core/playbook/due.ts'

const HOUR_MS = 3_600_000
const hours: WorkingHours = {
  days: ['mon', 'tue', 'wed', 'thu', 'fri'],
  from: '09:00',
  to: '17:00',
  zone: 'Europe/Berlin',
  zones: { 'ada@acme.example': 'America/New_York' },
  holidays: ['2026-12-25'],
}
const due = (from: string, ms: number, zone?: string) => dueAt(new Date(from), ms, hours, zone)

describe('a task is due', () => {
  it.each([
    { name: 'within the day', from: '2026-11-30T09:00:00Z', in: 4, want: '2026-11-30T13:00:00Z' },
    {
      name: 'in the morning, when it comes at night',
      from: '2026-11-30T02:00:00Z',
      in: 1,
      want: '2026-11-30T09:00:00Z',
    },
    {
      name: 'the next day, for what is left',
      from: '2026-11-30T15:00:00Z',
      in: 4,
      want: '2026-12-01T11:00:00Z',
    },
    {
      name: 'after the weekend',
      from: '2026-12-04T15:30:00Z',
      in: 2,
      want: '2026-12-07T09:30:00Z',
    },
    {
      name: 'after a holiday and the weekend',
      from: '2026-12-24T16:00:00Z',
      in: 1,
      want: '2026-12-28T09:00:00Z',
    },
    {
      name: 'at the end of the day when the time just fits',
      from: '2026-11-30T08:00:00Z',
      in: 8,
      want: '2026-11-30T16:00:00Z',
    },
    // The clocks go back on the 25th of October and forward on the 28th of March.
    {
      name: 'by the clock of winter',
      from: '2026-10-23T14:00:00Z',
      in: 2,
      want: '2026-10-26T09:00:00Z',
    },
    {
      name: 'by the clock of summer',
      from: '2027-03-26T15:00:00Z',
      in: 2,
      want: '2027-03-29T08:00:00Z',
    },
  ])('$name', ({ from, in: n, want }) => {
    expect(due(from, n * HOUR_MS).toISOString()).toBe(new Date(want).toISOString())
  })

  it('without working hours so much later', () => {
    const at = new Date('2026-12-05T22:00:00Z')
    expect(dueAt(at, HOUR_MS, undefined)).toEqual(new Date('2026-12-05T23:00:00Z'))
  })

  it('by the hours of where its owner is', () => {
    expect(due('2026-11-30T09:00:00Z', HOUR_MS, 'America/New_York')).toEqual(
      new Date('2026-11-30T15:00:00Z'),
    )
    const ada = { email: 'Ada@acme.example', timeZone: 'Asia/Tokyo' }
    expect(zoneOf(hours, ada)).toBe('America/New_York')
    expect(zoneOf(hours, { ...ada, email: 'bob@acme.example' })).toBe('Asia/Tokyo')
    expect(zoneOf(hours, null)).toBe('Europe/Berlin')
    expect(zoneOf(undefined, null)).toBe('UTC')
    expect(dayIn(new Date('2026-11-30T23:30:00Z'), 'Asia/Tokyo')).toBe('2026-12-01')
  })

  it('always in working hours, later for more time, and after exactly that much of them', () => {
    const zones = [
      'Europe/Berlin',
      'America/New_York',
      'Australia/Lord_Howe',
      'Asia/Kolkata',
      'UTC',
    ]
    const instants = fc.integer({
      min: Date.parse('2026-01-01T00:00:00Z'),
      max: Date.parse('2028-01-01T00:00:00Z'),
    })
    const minutes = fc.integer({ min: 1, max: 5_000 })
    fc.assert(
      fc.property(instants, minutes, fc.constantFrom(...zones), (from, n, zone) => {
        const at = dueAt(new Date(from), n * 60_000, hours, zone)
        const local = DateTime.fromJSDate(at, { zone })
        const clock = local.toFormat('HH:mm:ss.SSS')
        expect(clock > '09:00:00.000' && clock <= '17:00:00.000').toBe(true)
        expect(local.weekday).toBeLessThan(6)
        expect(dueAt(new Date(from), (n + 1) * 60_000, hours, zone).getTime()).toBeGreaterThan(
          at.getTime(),
        )
        expect(worked(from, at.getTime(), zone)).toBe(n * 60_000)
      }),
      { numRuns: 200 },
    )
  })
})

/** Working time between two instants, counted by the local clock minute by minute of each day. */
function worked(from: number, to: number, zone: string): number {
  let sum = 0
  let day = DateTime.fromMillis(from, { zone }).startOf('day')
  while (day.toMillis() < to) {
    if (day.weekday < 6 && !hours.holidays.includes(day.toISODate() ?? '')) {
      const opens = Math.max(from, day.set({ hour: 9 }).toMillis())
      const closes = Math.min(to, day.set({ hour: 17 }).toMillis())
      sum += Math.max(0, closes - opens)
    }
    day = day.plus({ days: 1 })
  }
  return sum
}
