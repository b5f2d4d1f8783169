import { describe, expect, it } from '@jest/globals'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import { freed, isTheirs, type Ledger } from '../../src/core/sync/ledger.ts'
import { nextWrite } from '../../src/core/sync/next-write.ts'
import { afterRead, type ReadValues } from '../../src/core/sync/seen-record.ts'
import { rulesOf } from '../support/sync-rules.ts'

const HOUR = 3_600_000
const NOW = Date.parse('2026-11-30T12:00:00Z')
const hash = (text: string) => `#${text}`
const rules = rulesOf({
  score: { from: 'score', type: 'number' },
  reason: { from: 'reason_1' },
  note: { from: 'email', 'respect-edit': '2h' },
  plan: { from: 'trait.plan', policy: 'two-way' },
})

/** What one record is known to say, look after look. */
function recordOf(desired: Properties, seen: Properties | null, ledger: Ledger) {
  const record = {
    ...{ desired, seen, ledger },
    look(values: ReadValues, at: number) {
      Object.assign(record, afterRead(rules, record, values, at, hash))
    },
    step: (name: string, at: number) => nextWrite(rules, record, at).fields.get(name)?.kind ?? null,
  }
  return record
}

const wrote = (value: string) => ({ wrote: hash(value), at: NOW })

describe('a property that both sides fill', () => {
  it('keeps what a person gives back after another value, while what she said before is still wanted', () => {
    const record = recordOf({ plan: 'free' }, { plan: 'free' }, { plan: wrote('free') })
    record.look({ plan: 'team' }, NOW + 1)
    record.desired = { plan: 'team' }
    record.look({ plan: 'free' }, NOW + 2)
    expect(record.step('plan', NOW + 2)).toBe('adopt')
    expect(isTheirs(record.ledger['plan'] ?? {}, hash('free'))).toBe(true)
    record.desired = { plan: 'pro' }
    expect(record.step('plan', NOW + 3)).toBe('write')
  })

  it('knows its own write, of which nobody knows whether it arrived, from a word of somebody else', () => {
    const sent = { ...wrote('pro'), was: hash('free'), sent: true as const }
    const record = recordOf({ plan: 'max' }, { plan: 'team' }, { plan: sent })
    record.look({ plan: 'pro' }, NOW + 1)
    expect(record.step('plan', NOW + 1)).toBe('write')
  })

  it('is filled again where a conversion has lost it, and left empty where a person has cleared it', () => {
    const lost = recordOf({ plan: 'free' }, null, { plan: wrote('free') })
    lost.look({ plan: null }, NOW + 1)
    expect(lost.step('plan', NOW + 1)).toBe('write')
    const cleared = recordOf({ plan: 'free' }, { plan: 'free' }, { plan: wrote('free') })
    cleared.look({ plan: null }, NOW + 1)
    cleared.seen = null
    cleared.look({ plan: null }, NOW + 2)
    expect(cleared.step('plan', NOW + 2)).toBe('adopt')
  })
})

it('an edit of a record that was merged since is as old as what it says', () => {
  const record = recordOf({ note: 'a' }, { note: 'a' }, { note: wrote('a') })
  record.look({ note: 'b' }, NOW)
  record.seen = null
  record.look({ note: 'c' }, NOW + 2 * HOUR)
  expect(record.step('note', NOW + 2 * HOUR)).toBe('hold')
  record.seen = null
  record.look({ note: 'c' }, NOW + 4 * HOUR)
  expect(record.step('note', NOW + 4 * HOUR)).toBe('write')
})

it('an explanation that is freed is written without waiting for another score', () => {
  const parked = { wrote: hash(''), at: NOW, parked: NOW }
  const ledger: Ledger = { score: wrote('50'), reason: parked }
  const said = { score: '50', reason: null }
  const record = recordOf({ score: 50, reason: 'r50' }, { score: 50, reason: 'mine' }, ledger)
  record.look(said, NOW + 1)
  expect(record.step('reason', NOW + 1)).toBe('park')
  record.ledger = freed(record.ledger)
  expect(record.step('reason', NOW + 2)).toBe('write')
})

it('a score that a record brings along is written over with what explains it, however little it differs', () => {
  const record = recordOf({ score: 48, reason: 'r48' }, null, {})
  record.look({ score: '50', reason: 'somebody wrote this' }, NOW)
  expect(record.step('score', NOW)).toBe('write')
  expect(record.step('reason', NOW)).toBe('write')
})
