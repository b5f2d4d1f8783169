import { beforeAll, describe, expect, it } from '@jest/globals'
import { type MappingFiles, parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { workingHours } from '../../src/core/mapping/playbook-assignment.ts'
import { ENDING, lastWord, REJECTION } from '../../src/core/playbook/last-word.ts'
import { goneReason } from '../../src/core/playbook/task-follow.ts'
import { textProblem } from '../../src/core/playbook/task-story.ts'
import { mappingFiles } from '../support/mapping-files.ts'
import { tried } from '../support/tried-playbook.ts'

let files: MappingFiles = {}
beforeAll(async () => {
  files = await mappingFiles()
})

const SEATS = 'action: limit_80, measure: ratio, limit: 100'

describe('a trigger that goes by the points of a signal', () => {
  const NOT_HELD = /playbooks\/tried\.yaml:\d+:\d+: trigger\.percent: seats gives no point at 80/
  const NO_FIRST = /trigger\.action-first: seats gives no point for the first time/
  const limit = '{ limit-reached: seats, percent: 80 }'
  const first = '{ action-first: colleague_invited }'
  const invited = 'action: colleague_invited'

  it.each([
    ...[
      { name: 'at a tier above', signal: `${SEATS}, tiers: [{ from: 95, points: 9 }]` },
      { name: 'from an amount above', signal: `${SEATS}, at-least: 90, points: 9` },
      { name: 'as a part of one', signal: `${SEATS}, points: 1, per: 100, max: 9` },
    ].map((one) => ({ ...one, trigger: limit, want: NOT_HELD })),
    ...[
      { name: 'from the third time on', signal: `${invited}, at-least: 3, points: 9` },
      { name: 'as a part of one', signal: `${invited}, points: 1, per: 5, max: 9` },
    ].map((one) => ({ ...one, trigger: first, want: NO_FIRST })),
  ])('$trigger is refused where there are points $name', ({ signal, trigger, want }) => {
    expect(() => parseMappingSet(withSignal(signal, trigger))).toThrow(want)
  })

  it.each([
    {
      signal: `${SEATS}, tiers: [{ from: 50, points: 2 }, { from: 95, points: 9 }]`,
      trigger: limit,
    },
    { signal: `${SEATS}, points: 1, per: 50, max: 9`, trigger: limit },
    { signal: `${invited}, points: 2, per: 1, max: 9`, trigger: first },
  ])('$trigger is taken with $signal', ({ signal, trigger }) => {
    expect(parseMappingSet(withSignal(signal, trigger)).playbooks.has('tried')).toBe(true)
  })
})

/** The shipped mappings with one signal of people, and a playbook. */
function withSignal(signal: string, trigger: string): MappingFiles {
  const { 'models/people.yaml': people = '' } = files
  const others = people
    .replace(/^ {2}- id: invited\n(?: {4}.*\n)+/m, '')
    .replace(/^signals:\n/m, `signals:\n  - { id: seats, label: Seats, ${signal} }\n`)
  return {
    ...files,
    'models/people.yaml': others,
    'playbooks/tried.yaml': tried({ trigger }),
  }
}

it.each([
  { text: '{% if deal %}{{ others[0].email }}{% endif %}', refused: true },
  { text: '{% unless champion %}{{ deal.stage }}{{ nobody }}{% endunless %}', refused: true },
  { text: '{% if person %}{% unless deal %}{{ nobody }}{% endunless %}{% endif %}', refused: true },
  {
    text: '{% if deal and champion %}{{ champion.email }}{{ deal.stage }}{% endif %}',
    refused: false,
  },
])('a text is held against whoever and whatever may be absent: $text', ({ text, refused }) => {
  expect(textProblem(text) !== null).toBe(refused)
})

it('the zone of an owner is found however her address is written', () => {
  const zones = { 'Ben.Okafor@Sales.example': 'Asia/Tokyo' }
  const hours = workingHours.parse({ from: '09:00', to: '17:00', zone: 'UTC', zones })
  expect(hours.zones).toEqual({ 'ben.okafor@sales.example': 'Asia/Tokyo' })
})

describe('the last word of sales', () => {
  const none = { status: 'none', since: 9 } as const
  const rejected = { status: 'rejected', since: 5 } as const
  const won = { status: 'won', since: 7 } as const

  it.each([
    { name: 'of nobody', said: [undefined, undefined], of: ENDING, want: 'none' },
    {
      name: 'is not hidden by an emptied answer',
      said: [none, rejected],
      of: ENDING,
      want: 'rejected',
    },
    { name: 'of both is the later one', said: [won, rejected], of: ENDING, want: 'won' },
    { name: 'is the no among others', said: [won, rejected], of: REJECTION, want: 'rejected' },
  ] as const)('$name', ({ said, of, want }) => {
    expect(lastWord(said, of).status).toBe(want)
  })
})

it('the reason of a task is gone when the model leaves its subject out', () => {
  const stands = { usageStatus: 'nurture', qualifiedAt: null, lapsed: null } as const
  const sales = { status: 'none', since: null } as const
  expect(goneReason(1, { ...stands, sales })).toBeNull()
  expect(goneReason(1, { ...stands, sales, excludedBy: 'A rival' })).toContain('A rival')
})
