import { describe, expect, it } from '@jest/globals'
import { amplitudeEvent, mixpanelEvent, withoutCopies } from '../support/oracle/raw-events.ts'
import { deedsOf, readPlan } from '../support/oracle/tracking-plan.ts'

const mixpanel = (properties: object, zone?: string) =>
  mixpanelEvent(JSON.stringify({ event: 'page_viewed', properties }), zone)
const wall = (text: string) => Date.parse(`${text}Z`) / 1000
const at = (text: string) => Date.parse(text)

describe('the oracle reads raw events as vendors mean them', () => {
  it.each([
    { zone: 'UTC', time: '2026-07-01T12:00:00', want: '2026-07-01T12:00:00Z' },
    { zone: 'Europe/Berlin', time: '2026-07-01T12:00:00', want: '2026-07-01T10:00:00Z' },
    { zone: 'Europe/Berlin', time: '2026-12-01T12:00:00', want: '2026-12-01T11:00:00Z' },
    { zone: 'Asia/Kathmandu', time: '2026-12-01T12:15:00', want: '2026-12-01T06:30:00Z' },
  ])('Mixpanel at $time of $zone', ({ zone, time, want }) => {
    const event = mixpanel({ time: wall(time), $user_id: 'ann' }, zone)
    expect(new Date(event.at).toISOString()).toBe(new Date(want).toISOString())
  })

  it.each([
    { taken: '2026-10-25T00:30:01Z', want: '2026-10-25T00:30:00Z' },
    { taken: '2026-10-25T01:30:01Z', want: '2026-10-25T01:30:00Z' },
  ])('Mixpanel in the hour that comes twice, taken in at $taken', ({ taken, want }) => {
    const properties = { time: wall('2026-10-25T02:30:00'), mp_processing_time_ms: at(taken) }
    expect(mixpanel(properties, 'Europe/Berlin').at).toBe(at(want))
  })

  it('Amplitude in UTC, by the user before the device', () => {
    const row = { event_type: 'Signed Up', event_time: '2026-09-01 23:59:59.999000', uuid: 'x' }
    const event = amplitudeEvent(
      JSON.stringify({ ...row, user_id: 'ann', device_id: 'd1', amplitude_id: 17 }),
      '2026-09-02T00',
    )
    expect(event).toMatchObject({ at: at('2026-09-01T23:59:59.999Z'), node: 'amplitude/u:ann' })
    const nobody = { ...row, user_id: 'null', device_id: '', amplitude_id: 17 }
    expect(amplitudeEvent(JSON.stringify(nobody), '2026-09-02T00').node).toBe('amplitude/a:17')
  })

  it('of copies on one day the one that arrived last', () => {
    const copy = (processed: number, user: string, time = wall('2026-09-01T10:00:00')) =>
      mixpanel({ time, $insert_id: 'i', $user_id: user, mp_processing_time_ms: processed })
    const left = withoutCopies([copy(2000, 'late'), copy(1000, 'early')])
    expect(left.map(({ node }) => node)).toEqual(['mixpanel/u:late'])
    const nextDay = wall('2026-09-02T10:00:00')
    expect(withoutCopies([copy(2000, 'a'), copy(1000, 'b', nextDay)])).toHaveLength(2)
  })

  it('without what vendors and the plan call noise, by conditions on properties', () => {
    const plan = readPlan(`
version: 1
email: [event.email]
ignore: [heartbeat]
actions:
  priced: { label: P, family: intent, from: [{ event: page, where: { path: { equals: /pricing } } }] }
  near: { label: N, family: limit, core: true, from: [{ event: limit, where: { percent: { gte: 80, lte: 99 } } }] }
  own: { label: O, family: usage, from: [{ event: page, source: amplitude }, { event: go, where: { robot: { exists: false } } }] }
`)
    const names = (event: string, properties: object) => {
      const line = JSON.stringify({
        event,
        properties: { time: 1, $user_id: 'ann', ...properties },
      })
      const deeds = deedsOf([mixpanelEvent(line)], plan, new Map([['mixpanel/u:ann', 'p1']]))
      return deeds.get('p1')?.map(({ actions, isCore }) => [...actions.keys(), isCore])
    }
    expect(names('$identify', {})).toBeUndefined()
    expect(names('[Amplitude] Start Session', {})).toBeUndefined()
    expect(names('heartbeat', {})).toBeUndefined()
    expect(names('page', { path: '/pricing' })).toEqual([['priced', false]])
    expect(names('page', { path: '/blog' })).toEqual([[false]])
    expect(names('limit', { percent: '80' })).toEqual([['near', true]])
    expect(names('limit', { percent: 100 })).toEqual([[false]])
    expect(names('go', {})).toEqual([['own', false]])
    expect(names('go', { robot: null })).toEqual([['own', false]])
    expect(names('go', { robot: false })).toEqual([[false]])
  })
})
