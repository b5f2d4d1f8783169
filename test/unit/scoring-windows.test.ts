import { describe, expect, it } from '@jest/globals'
import type { Model } from '../../src/core/mapping/model.ts'
import { signalWindows } from '../../src/core/scoring/signal-windows.ts'

const action = { label: 'L', points: 1, per: 'once', 'at-least': 1 } as const
const model: Model = {
  id: 'm',
  version: 1,
  subject: 'account',
  kind: 'conversion',
  predicts: 'x',
  window: 30,
  'active-days': 1,
  'people-model': 'people',
  signals: [
    { id: 'long', ...action, action: 'invited' },
    { id: 'short', ...action, action: 'invited', within: 7 },
    { id: 'trait', label: 'T', trait: 'plan', in: ['pro'], points: 1 },
    { id: 'team', label: 'P', people: 'active', points: 1, max: 5 },
  ],
  status: { enter: 2, exit: 1, assist: 1, 'new-for': 7, 'stale-after': 45 },
  bands: [{ grade: 'D', from: 0 }],
}

const windowsAt = (asOf: string) =>
  Object.fromEntries(
    signalWindows(model, new Date(asOf)).map((w) => [w.signal, [w.action, w.fromDay, w.toDay]]),
  )

describe('the windows of a model', () => {
  it('are the days before a day boundary, without the day that begins', () => {
    expect(windowsAt('2026-11-21T00:00:00Z')).toEqual({
      $ever: ['$any', '0001-01-01', '2026-11-21'],
      $active30: ['$any', '2026-10-22', '2026-11-21'],
      $recent: ['$any', '2026-11-07', '2026-11-21'],
      $earlier: ['$any', '2026-10-24', '2026-11-07'],
      $core: ['$core', '2026-10-22', '2026-11-21'],
      long: ['invited', '2026-10-22', '2026-11-21'],
      short: ['invited', '2026-11-14', '2026-11-21'],
    })
  })

  it.each(['2026-11-21T00:00:00.001Z', '2026-11-21T10:00:00Z', '2026-11-21T23:59:59.999Z'])(
    'are today and the days before it, as many together, at %s',
    (asOf) => {
      expect(windowsAt(asOf)).toMatchObject({
        $ever: ['$any', '0001-01-01', '2026-11-22'],
        $active30: ['$any', '2026-10-23', '2026-11-22'],
        $recent: ['$any', '2026-11-08', '2026-11-22'],
        $earlier: ['$any', '2026-10-25', '2026-11-08'],
        long: ['invited', '2026-10-23', '2026-11-22'],
        short: ['invited', '2026-11-15', '2026-11-22'],
      })
    },
  )

  it('cross a leap day and the end of a year by counting days', () => {
    expect(windowsAt('2028-03-01T00:00:00Z')['short']).toEqual([
      'invited',
      '2028-02-23',
      '2028-03-01',
    ])
    expect(windowsAt('2027-01-03T00:00:00Z')['short']?.[1]).toBe('2026-12-27')
  })
})
