import { expect, it } from '@jest/globals'
import { placeFindings } from '../../src/core/mapping/finding-places.ts'
import type { Finding, FindingSubject } from '../../src/core/ports/crm-check.ts'
import { valueFindings } from '../../src/core/sync/value-findings.ts'

const HUBSPOT = `version: 1
objects:
  contact:
    subject: person
    model: people
    key: { property: pql_person_id, label: Id }
    create: never
    on-create: { email: email }
    read:
      job_title: jobtitle
    sales-status:
      property: hs_lead_status
      values:
        accepted: [CONNECTED]
        rejected: [UNQUALIFIED, BAD_TIMING]
    group: { name: ripen, label: Ripen }
    properties:
      pql_score: { from: score, type: number, label: Score }
`
const PLAYBOOK = `id: tried
label: Tried
crm: hubspot
subject: person
trigger: { score-crossed: 50 }
segments:
  - name: all
    motion: nurture
    actions:
      - { set: { motion: nurture } }
      - { list: "31", act: remove }
`
const FILES = { 'hubspot.yaml': HUBSPOT, 'playbooks/tried.yaml': PLAYBOOK }

const contact = (more: object) => ({ object: 'contact', ...more }) as FindingSubject

/** The text that stands at the place of a finding. */
function pointsAt(of: FindingSubject | undefined): string | null {
  const finding: Finding = { level: 'error', about: 'x', what: 'y', mend: null }
  const [placed] = placeFindings([of ? { ...finding, of } : finding], 'hubspot', FILES)
  if (!placed?.at) return null
  const { file, line, column } = placed.at
  const text = FILES[file as keyof typeof FILES].split('\n')[line - 1] ?? ''
  return `${file} ${text.slice(column - 1)}`
}

it.each([
  { of: contact({ property: 'pql_score' }), at: 'hubspot.yaml pql_score: {' },
  { of: contact({ property: 'pql_person_id' }), at: 'hubspot.yaml property: pql_person_id' },
  { of: contact({ property: 'jobtitle' }), at: 'hubspot.yaml job_title: jobtitle' },
  { of: contact({ property: 'hs_lead_status' }), at: 'hubspot.yaml property: hs_lead_status' },
  {
    of: contact({ property: 'hs_lead_status', value: 'BAD_TIMING' }),
    at: 'hubspot.yaml BAD_TIMING]',
  },
  { of: contact({ property: 'email' }), at: 'hubspot.yaml email: email' },
  { of: contact({ property: 'of_no_line' }), at: 'hubspot.yaml contact:' },
  { of: { target: '31' }, at: 'playbooks/tried.yaml list: "31"' },
  { of: { target: '32' }, at: null },
  { of: { object: 'company' } as FindingSubject, at: null },
  { of: undefined, at: null },
])('a finding about $of stands at $at', ({ of, at }) => {
  const found = pointsAt(of)
  expect(at === null ? found : (found ?? '').slice(0, at.length)).toBe(at)
})

const needs = (values: readonly string[]) => ({
  ...{ object: 'contact', alsoWritten: [], read: [], means: { property: 'status', values } },
  plan: { object: 'contact', group: { name: 'g', label: 'G' }, properties: [] },
})

it.each([
  { name: 'an option that is not there', options: ['A'], values: ['A', 'B'], want: ['B'] },
  { name: 'all options there', options: ['A', 'B'], values: ['A', 'B'], want: [] },
  { name: 'a property that holds anything', options: null, values: ['B'], want: [] },
])('of $name is told $want', ({ options, values, want }) => {
  const found = valueFindings(needs(values) as Parameters<typeof valueFindings>[0], options)
  expect(found.map(({ of }) => (of && 'value' in of ? of.value : null))).toEqual(want)
  for (const { what } of found) expect(what).toContain('it has A')
})
