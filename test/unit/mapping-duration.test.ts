import { describe, expect, it } from '@jest/globals'
import { durationDays, durationMs } from '../../src/core/mapping/duration.ts'

describe('a length of time', () => {
  it.each([
    { text: '1m', ms: 60_000 },
    { text: '15m', ms: 900_000 },
    { text: '4h', ms: 14_400_000 },
    { text: '24h', ms: 86_400_000 },
    { text: '30d', ms: 2_592_000_000 },
    { text: '99999d', ms: 8_639_913_600_000 },
  ])('$text is $ms ms', ({ text, ms }) => {
    expect(durationMs.parse(text)).toBe(ms)
  })

  it.each(['', '0h', '5', '5s', '1.5h', '-1d', '1 d', '1D', '100000m', '1h30m'])(
    '"%s" is refused with an example',
    (text) => {
      const result = durationMs.safeParse(text)
      expect(result.error?.issues[0]?.message).toBe('write a duration such as 15m, 4h or 30d')
    },
  )

  it('in days is a number of days', () => {
    expect(durationDays.parse('30d')).toBe(30)
    expect(durationDays.parse('1d')).toBe(1)
  })

  it.each(['24h', '30', '0d', '10000d', 'd'])('in days is not "%s"', (text) => {
    expect(durationDays.safeParse(text).error?.issues[0]?.message).toBe(
      'write whole days, such as 30d',
    )
  })
})
