import { describe, expect, it } from '@jest/globals'
import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { Properties } from '../../src/core/sync/desired-record.ts'
import { freed, type Ledger, parkedFields } from '../../src/core/sync/ledger.ts'
import { nextWrite } from '../../src/core/sync/next-write.ts'
import { afterRead, afterWrite, beforeWrite, withParked } from '../../src/core/sync/seen-record.ts'
import { rulesOf } from '../support/sync-rules.ts'

const NOW = Date.parse('2026-11-30T12:00:00Z')
const HOUR = 3_600_000
const DAY = 24 * HOUR
const hash = (text: string) => `#${text}`

const score = { from: 'score', type: 'number' }
const scored = rulesOf({
  score,
  reason: { from: 'reason_1' },
  status: { from: 'usage_status' },
  active: { from: 'last_active', type: 'datetime' },
})
const said = { score: 70, reason: 'r70', status: 'assist', active: '2026-11-29T10:00:00.000Z' }

function stepsOf(
  rules: ObjectMapping,
  desired: Properties,
  seen: Properties | null,
  ledger: Ledger = {},
) {
  const { properties, fields, wakeAt } = nextWrite(rules, { desired, seen, ledger }, NOW)
  return { properties, wakeAt, steps: Object.fromEntries(fields) }
}

describe('the next write', () => {
  it('is everything for a record that is made, and nothing for one that says what it should', () => {
    expect(stepsOf(scored, said, null).properties).toEqual(said)
    expect(stepsOf(scored, said, said)).toEqual({ properties: null, wakeAt: null, steps: {} })
  })

  it.each([
    { change: { score: 74, reason: 'r74' }, want: null },
    { change: { score: 66, reason: 'r66' }, want: null },
    { change: { score: 75, reason: 'r75' }, want: { score: 75, reason: 'r75' } },
    { change: { score: 65 }, want: { score: 65 } },
    { change: { score: null, reason: null }, want: { score: null, reason: null } },
    {
      change: { score: 71, reason: 'r71', status: 'qualified' },
      want: { score: 71, reason: 'r71', status: 'qualified' },
    },
    { change: { reason: 'other words' }, want: null },
  ])('of a score waits for five points or another status: $change', ({ change, want }) => {
    expect(stepsOf(scored, { ...said, ...change }, said).properties).toEqual(want)
  })

  it('of what explains a score is never made without the score', () => {
    const touched: Ledger = { reason: { wrote: '#r70', at: 1, edited: NOW - 1, over: 'r70' } }
    const desired = { ...said, score: 72, reason: 'r72' }
    const { properties } = stepsOf(scored, desired, { ...said, reason: 'mine' }, touched)
    expect(properties).toEqual({ score: 72, reason: 'r72' })
    // New in the mapping: it was never written.
    const { reason: _, ...without } = said
    expect(stepsOf(scored, desired, without).properties).toEqual({ score: 72, reason: 'r72' })
  })

  it('of what explains a score waits while somebody else holds the score', () => {
    const rules = rulesOf({
      score: { ...score, 'respect-edit': '30d' },
      reason: { from: 'reason_1' },
    })
    const ledger: Ledger = { score: { wrote: '#70', at: 1, edited: NOW - DAY, over: '70' } }
    const seen = { score: '95', reason: 'r70' }
    const next = stepsOf(rules, { score: 90, reason: 'r90' }, seen, ledger)
    expect(next).toMatchObject({ properties: null, wakeAt: NOW + 29 * DAY })
    expect(next.steps).toMatchObject({ score: { why: 'edited' }, reason: { why: 'edited' } })
  })

  it('of what changes every day by itself is made once a day, and wakes for it', () => {
    const desired = { ...said, active: '2026-11-30T11:00:00.000Z' }
    const ledger: Ledger = { active: { wrote: 'x', at: NOW - 20 * HOUR } }
    expect(stepsOf(scored, desired, said, ledger)).toMatchObject({
      properties: null,
      wakeAt: NOW + 4 * HOUR,
    })
    const old: Ledger = { active: { wrote: 'x', at: NOW - DAY } }
    expect(stepsOf(scored, desired, said, old).properties).toEqual({ active: desired.active })
    const ahead: Ledger = { active: { wrote: 'x', at: NOW + DAY } }
    expect(stepsOf(scored, desired, said, ahead).properties).toEqual({ active: desired.active })
  })

  const edit = { wrote: '#a', at: 1, edited: NOW - HOUR, over: 'a' }
  const trait = { from: 'trait.plan' }
  it.each([
    { name: 'push restores', p: { from: 'grade' }, ours: 'a', want: 'write' },
    {
      name: 'respect-edit leaves',
      p: { from: 'grade', 'respect-edit': '2h' },
      ours: 'a',
      want: 'hold',
    },
    {
      name: 'respect-edit ends',
      p: { from: 'grade', 'respect-edit': '1h' },
      ours: 'a',
      want: 'write',
    },
    {
      name: 'fill-empty leaves',
      p: { from: 'grade', policy: 'fill-empty' },
      ours: 'a',
      want: 'hold',
    },
    { name: 'latest takes theirs', p: { ...trait, policy: 'two-way' }, ours: 'a', want: 'adopt' },
    {
      name: 'latest writes what is newer',
      p: { ...trait, policy: 'two-way' },
      ours: 'b',
      want: 'write',
    },
    {
      name: 'latest has nothing to say',
      p: { ...trait, policy: 'two-way' },
      ours: null,
      want: 'adopt',
    },
    {
      name: 'crm takes theirs',
      p: { ...trait, policy: 'two-way', winner: 'crm' },
      ours: 'b',
      want: 'adopt',
    },
    {
      name: 'ripen restores',
      p: { ...trait, policy: 'two-way', winner: 'ripen' },
      ours: 'a',
      want: 'write',
    },
    {
      name: 'ripen has nothing to say',
      p: { ...trait, policy: 'two-way', winner: 'ripen' },
      ours: null,
      want: 'adopt',
    },
    { name: 'pull never writes', p: { ...trait, policy: 'pull' }, ours: 'a', want: 'adopt' },
  ])('over a value of somebody else: $name', ({ p, ours, want }) => {
    const rules = rulesOf({ field: p })
    const { steps } = stepsOf(rules, { field: ours }, { field: 'theirs' }, { field: edit })
    expect(steps['field']).toMatchObject({ kind: want })
  })

  it.each([
    { to: 5, from: '3', want: 'write' },
    { to: 3, from: '5', want: 'hold' },
    { to: 3, from: null, want: 'write' },
    { to: null, from: '5', want: 'hold' },
    { to: 3, from: 'many', want: 'write' },
  ])('increases only: $from to $to', ({ to, from, want }) => {
    const people = rulesOf({
      field: { from: 'active_days_30', type: 'number', policy: 'increase-only' },
    })
    expect(stepsOf(people, { field: to }, { field: from }).steps['field']).toMatchObject({
      kind: want,
    })
  })

  it('fills what is empty', () => {
    const rules = rulesOf({ field: { from: 'grade', policy: 'fill-empty' } })
    expect(stepsOf(rules, { field: 'a' }, { field: null }).properties).toEqual({ field: 'a' })
    expect(stepsOf(rules, { field: 'a' }, {}).properties).toEqual({ field: 'a' })
    expect(stepsOf(rules, { field: 'a' }, { field: 'b' }).properties).toBeNull()
  })
})

describe('a record that is read', () => {
  const rules = rulesOf({
    grade: { from: 'grade' },
    plan: { from: 'trait.plan', policy: 'two-way' },
  })
  const known = (ledger: Ledger, desired: Properties, seen: Properties | null) => ({
    desired,
    seen,
    ledger,
  })

  it('tells an edit from an answer to our own write, whenever that comes', () => {
    const ledger: Ledger = { grade: { wrote: '#B', at: 1 } }
    const ours = afterRead(
      rules,
      known(ledger, { grade: 'C' }, { grade: 'A' }),
      { grade: 'B' },
      NOW,
      hash,
    )
    expect(ours).toEqual({ seen: { grade: 'B' }, ledger, edits: [] })
    const same = afterRead(
      rules,
      known(ledger, { grade: 'C' }, { grade: 'A' }),
      { grade: 'A' },
      NOW,
      hash,
    )
    expect(same).toMatchObject({ seen: { grade: 'A' }, edits: [] })
    const theirs = afterRead(
      rules,
      known(ledger, { grade: 'C' }, { grade: 'A' }),
      { grade: 'Z' },
      NOW,
      hash,
    )
    expect(theirs).toEqual({
      seen: { grade: 'Z' },
      ledger: { grade: { wrote: '#B', at: 1, edited: NOW, over: 'C' } },
      edits: ['grade'],
    })
  })

  it('forgets an edit once the record says what it should', () => {
    const ledger: Ledger = { grade: { wrote: '#B', at: 1, edited: 5, over: 'B' } }
    const after = afterRead(
      rules,
      known(ledger, { grade: 'B' }, { grade: 'Z' }),
      { grade: 'B' },
      NOW,
      hash,
    )
    expect(after).toEqual({
      seen: { grade: 'B' },
      ledger: { grade: { wrote: '#B', at: 1 } },
      edits: [],
    })
  })

  it('leaves alone what stood there before us, where that may stay', () => {
    const first = known({}, { grade: 'B', plan: 'free' }, null)
    const { seen, ledger, edits } = afterRead(rules, first, { grade: 'Z', plan: 'pro' }, NOW, hash)
    expect({ seen, edits }).toEqual({ seen: { grade: 'Z', plan: 'pro' }, edits: [] })
    expect(nextWrite(rules, { ...first, seen, ledger }, NOW).properties).toEqual({ grade: 'B' })
  })

  it('of which nothing is known any more is judged by what was written', () => {
    const ledger: Ledger = {
      grade: { wrote: '#B', at: 1 },
      plan: { wrote: '#pro', at: 1, edited: 7, over: 'pro' },
    }
    const moved = known(ledger, { grade: 'C', plan: 'pro' }, null)
    const after = afterRead(rules, moved, { grade: 'Z', plan: 'team' }, NOW, hash)
    expect(after.edits).toEqual(['grade'])
    expect(after.ledger['plan']?.edited).toBe(7)
  })

  it('does not invent properties that the CRM did not tell of', () => {
    const after = afterRead(rules, known({}, { grade: 'B' }, { grade: 'A' }), {}, NOW, hash)
    expect(after).toEqual({ seen: { grade: 'A' }, ledger: {}, edits: [] })
  })
})

describe('a fight', () => {
  it('ends after three rounds within an hour, until a person says otherwise', () => {
    const rules = rulesOf({ grade: { from: 'grade' } })
    const desired = { grade: 'B' }
    let seen: Properties = { grade: 'B' }
    let ledger: Ledger = {}
    let now = NOW
    let writes = 0
    const round = () => {
      now += 60_000
      const read = afterRead(rules, { desired, seen, ledger }, { grade: 'theirs' }, now, hash)
      seen = read.seen
      ledger = read.ledger
      const next = nextWrite(rules, { desired, seen, ledger }, now)
      ledger = withParked(ledger, next.fields)
      if (!next.properties) return
      writes++
      ledger = beforeWrite(rules, { desired, seen, ledger }, next, now, hash)
      ;({ seen, ledger } = afterWrite(rules, { desired, seen, ledger }, next.properties))
    }
    for (let i = 0; i < 10; i++) round()
    expect(writes).toBe(3)
    expect(parkedFields(ledger)).toEqual(['grade'])
    now += 2 * HOUR
    round()
    expect(writes).toBe(3)
    ledger = freed(ledger)
    expect(parkedFields(ledger)).toEqual([])
    round()
    expect(writes).toBe(4)
  })

  it('that is slow is none', () => {
    const rules = rulesOf({ grade: { from: 'grade' } })
    const rounds = [NOW - 2 * HOUR, NOW - 90 * 60_000, NOW - 61 * 60_000]
    const ledger: Ledger = { grade: { wrote: '#B', at: 1, edited: NOW, over: 'B', rounds } }
    const { steps } = stepsOf(rules, { grade: 'B' }, { grade: 'Z' }, ledger)
    expect(steps['grade']).toMatchObject({ kind: 'write', restores: true })
  })
})
