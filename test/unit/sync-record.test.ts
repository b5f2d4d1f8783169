import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { crmMappingSchema, type ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { CrmValue } from '../../src/core/ports/crm.ts'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import { changedProperties, desiredRecord } from '../../src/core/sync/desired-record.ts'
import { fieldsOf, type Speaker, type SubjectFacts } from '../../src/core/sync/fields.ts'
import { provisionPlan } from '../../src/core/sync/provision-plan.ts'
import { modelOf } from '../support/features.ts'

const words = createExplainer(
  modelOf(`  - { id: invited, label: Invited colleagues, action: invited, points: 20, per: 1, max: 40 }
  - { id: activated, label: Activated, action: activated, points: 30 }
`),
)
const speaker: Speaker = { name: 'people v1', explainer: words }
const part = (id: string, points: number, amount: number) => ({
  id,
  points,
  amount,
  since: null,
  last: null,
})
const score: Score = {
  subjectId: 'per_1',
  version: 1,
  score: 70,
  grade: 'B',
  usageStatus: 'qualified',
  salesStatus: 'none',
  statusSince: '2026-11-20T10:00:00.000Z',
  heldUntil: null,
  roseLast: true,
  qualifiedAt: '2026-11-20T10:00:00.000Z',
  change: 30,
  changed: [{ id: 'activated', from: 0, to: 30 }],
  trend: 'rising',
  contributions: [part('invited', 40, 2), part('activated', 30, 1)],
  missing: [],
  facts: {
    lastActive: '2026-11-20T09:00:00.000Z',
    firstSeen: '2026-11-01T09:00:00.000Z',
    activeDays30: 12,
    excludedBy: null,
    activeUsers: 3,
    qualifiedUsers: 1,
    championId: 'per_2',
    otherIds: ['per_3'],
  },
  evidenceAt: '2026-11-20T09:00:00.000Z',
  nextChangeAt: null,
}
const facts: SubjectFacts = {
  id: 'per_1',
  email: 'ann@acme.com',
  domain: null,
  alsoKnownBy: [],
  name: null,
  champion: null,
  others: [],
}

function mappingWith(change: Partial<ObjectMapping>): ObjectMapping {
  const parsed = crmMappingSchema.parse({
    version: 1,
    objects: {
      contact: {
        subject: 'person',
        model: 'people',
        key: { property: 'pql_id', label: 'PQL id' },
        create: 'qualified',
        'on-create': { email: 'email' },
        group: { name: 'pql', label: 'PQL' },
        properties: {
          pql_score: { from: 'score', type: 'number', label: 'Score', description: 'To 100.' },
          pql_reason_3: { from: 'reason_3', type: 'string', label: 'Reason 3' },
          pql_trend: {
            from: 'trend',
            type: 'enumeration',
            label: 'Trend',
            options: [{ value: 'rising', label: 'Rising' }],
          },
        },
      },
    },
  })
  return { ...(parsed.objects.contact as ObjectMapping), ...change } as ObjectMapping
}

describe('what a record should say', () => {
  it('is what the mapping names, and nothing else', () => {
    const record = desiredRecord(mappingWith({}), facts, score, speaker)
    expect(record).toMatchObject({
      ref: 'per_1',
      properties: { pql_score: 70, pql_reason_3: null, pql_trend: 'rising' },
      onCreate: { email: 'ann@acme.com' },
      emails: ['ann@acme.com'],
      domains: [],
    })
    expect(Object.keys(record.properties)).toHaveLength(3)
  })

  it('is looked for by every address of a person and every domain of an account, the own one first', () => {
    const alsoKnownBy = ['a@old.example', 'ann@acme.com', 'z@old.example']
    const person = desiredRecord(mappingWith({}), { ...facts, alsoKnownBy }, score, speaker)
    expect(person).toMatchObject({
      emails: ['ann@acme.com', 'a@old.example', 'z@old.example'],
      domains: [],
      onCreate: { email: 'ann@acme.com' },
    })
    const company = { ...facts, email: null, domain: 'acme.com', alsoKnownBy: ['acme.example'] }
    const account = mappingWith({ subject: 'account' as ObjectMapping['subject'] })
    expect(desiredRecord(account, company, score, speaker)).toMatchObject({
      emails: [],
      domains: ['acme.com', 'acme.example'],
    })
    // Without an address of her own she is nobody's record.
    const nobody = { ...facts, email: null, alsoKnownBy: ['shared@old.example'] }
    expect(desiredRecord(mappingWith({}), nobody, score, speaker).emails).toEqual([])
  })

  it.each([
    { create: 'always', status: 'nurture', email: 'a@acme.com', domain: null, may: true },
    { create: 'always', status: 'nurture', email: null, domain: 'acme.com', may: true },
    { create: 'always', status: 'qualified', email: null, domain: null, may: false },
    { create: 'qualified', status: 'qualified', email: 'a@acme.com', domain: null, may: true },
    { create: 'qualified', status: 'qualified', email: null, domain: null, may: false },
    { create: 'qualified', status: 'cooling', email: 'a@acme.com', domain: null, may: false },
    { create: 'never', status: 'qualified', email: 'a@acme.com', domain: null, may: false },
  ] as const)(
    'may be created $create: somebody $status with address $email and domain $domain: $may',
    ({ create, status, email, domain, may }) => {
      const given = { ...score, usageStatus: status }
      const record = desiredRecord(
        mappingWith({ create }),
        { ...facts, email, domain },
        given,
        speaker,
      )
      expect(record.mayCreate).toBe(may)
    },
  )
})

describe('the fields of a record', () => {
  it('tell everything that is known', () => {
    const company = {
      ...facts,
      domain: 'acme.com',
      name: 'Acme',
      champion: 'bob@acme.com',
      others: ['cyd@acme.com', 'per_4'],
    }
    expect(fieldsOf(company, score, speaker)).toEqual({
      score: 70,
      grade: 'B',
      usage_status: 'qualified',
      sales_status: 'none',
      status_since: '2026-11-20T10:00:00.000Z',
      qualified_at: '2026-11-20T10:00:00.000Z',
      change: 30,
      trend: 'rising',
      reason_1: '+40 Invited colleagues (2 times)',
      reason_2: '+30 Activated',
      reason_3: null,
      summary: 'qualified, 70 of 100, rising: invited colleagues, activated',
      explanation: '+40 Invited colleagues (2 times)\n+30 Activated',
      what_changed: '+30: +30 activated',
      to_qualify: null,
      last_active: '2026-11-20T09:00:00.000Z',
      active_days_30: 12,
      signals: ['activated', 'invited'],
      last_name: 'Ann',
      company_name: 'acme.com',
      model: 'people v1',
      email: 'ann@acme.com',
      active_users: 3,
      qualified_users: 1,
      champion: 'bob@acme.com',
      others: 'cyd@acme.com, per_4',
      domain: 'acme.com',
      name: 'Acme',
    })
  })

  it('tell what would qualify', () => {
    const missing = [{ id: 'activated', points: 30, more: 1, isRequired: false }]
    const warm: Score = { ...score, score: 20, usageStatus: 'nurture', missing }
    expect(fieldsOf(facts, warm, speaker)['to_qualify']).toBe('30 points to go: activated (+30)')
  })

  it('are empty where nothing changed and nothing counts', () => {
    const quiet: Score = { ...score, score: 0, change: 0, changed: [], contributions: [] }
    expect(fieldsOf(facts, quiet, speaker)).toMatchObject({
      reason_1: null,
      explanation: null,
      what_changed: null,
      others: null,
    })
  })

  it('hold 1,000 characters of a text, the last of a longer one a sign of that', () => {
    const fieldsFor = (length: number) =>
      fieldsOf({ ...facts, others: ['x'.repeat(length)] }, score, speaker)
    expect(fieldsFor(1000)['others']).toBe('x'.repeat(1000))
    expect(fieldsFor(1001)['others']).toBe(`${'x'.repeat(999)}…`)
  })

  it('never end in half a character', () => {
    const fields = fieldsOf({ ...facts, others: [`${'x'.repeat(998)}😀😀`] }, score, speaker)
    expect(fields['others']).toBe(`${'x'.repeat(998)}…`)
  })
})

describe('what is written', () => {
  it.each<{
    name: string
    desired: Record<string, CrmValue>
    written: Record<string, CrmValue> | null
    want: Record<string, CrmValue> | null
  }>([
    {
      name: 'is nothing when nothing differs',
      desired: { a: 1, b: 'x' },
      written: { b: 'x', a: 1 },
      want: null,
    },
    {
      name: 'is what differs alone',
      desired: { a: 2, b: 'x' },
      written: { a: 1, b: 'x' },
      want: { a: 2 },
    },
    {
      name: 'is everything when nothing was written, empty values too',
      desired: { a: 1, b: null },
      written: null,
      want: { a: 1, b: null },
    },
    {
      name: 'is no empty value where there is none',
      desired: { a: null },
      written: {},
      want: null,
    },
    {
      name: 'is an empty value where there was another',
      desired: { a: null },
      written: { a: 1 },
      want: { a: null },
    },
    {
      name: 'is a property that is new in the mapping',
      desired: { a: 1, b: 2 },
      written: { a: 1 },
      want: { b: 2 },
    },
    {
      name: 'is nothing for a property that left the mapping',
      desired: { a: 1 },
      written: { a: 1, b: 2 },
      want: null,
    },
    { name: 'is a number where text was', desired: { a: 1 }, written: { a: '1' }, want: { a: 1 } },
    { name: 'is 0 where nothing was', desired: { a: 0 }, written: { a: null }, want: { a: 0 } },
    { name: 'is nothing when there is nothing to say', desired: {}, written: null, want: null },
  ])('$name', ({ desired, written, want }) => {
    expect(changedProperties(desired, written)).toEqual(want)
  })

  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null))
  const record = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), value)

  it('makes a record say what it should, after which nothing is written', () => {
    fc.assert(
      fc.property(record, fc.option(record), (desired, written) => {
        const changes = changedProperties(desired, written)
        expect(changedProperties(desired, { ...written, ...changes })).toBeNull()
      }),
    )
  })
})

describe('the plan of properties', () => {
  it('names our own unique key first, then what the mapping writes', () => {
    expect(provisionPlan('contact', mappingWith({}))).toEqual({
      object: 'contact',
      group: { name: 'pql', label: 'PQL' },
      properties: [
        {
          name: 'pql_id',
          label: 'PQL id',
          description: expect.stringContaining('do not edit'),
          type: 'string',
          unique: true,
        },
        {
          name: 'pql_score',
          label: 'Score',
          type: 'number',
          description: 'To 100.',
          values: { numbers: { least: 0, greatest: 100 } },
        },
        { name: 'pql_reason_3', label: 'Reason 3', type: 'string', values: { longest: 1000 } },
        {
          name: 'pql_trend',
          label: 'Trend',
          type: 'enumeration',
          options: [{ value: 'rising', label: 'Rising' }],
        },
      ],
    })
  })
})
