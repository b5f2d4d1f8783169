import { describe, expect, it } from '@jest/globals'
import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import { parseMappingSet } from '../../src/core/mapping/mapping-set.ts'
import { SALES_STATUSES, USAGE_STATUSES } from '../../src/core/scoring/status.ts'
import { changed, placeIn, problemsOf, shipped } from '../support/shipped-mappings.ts'

type Property = ObjectMapping['properties'][string]

describe('the mappings that are shipped', () => {
  it('parse, and name two models of persons, one of accounts, and one CRM', () => {
    const set = parseMappingSet(shipped())
    expect([...set.models.keys()].sort()).toEqual(['accounts', 'expansion', 'people'])
    expect([...set.crms.keys()]).toEqual(['hubspot', 'salesforce'])
    expect(Object.keys(set.usage.actions)).toContain('activated')
  })

  it('offer every status that a record can have', () => {
    const objects = parseMappingSet(shipped()).crms.get('hubspot')?.objects
    for (const object of [objects?.contact, objects?.company]) {
      const properties: readonly Property[] = Object.values(object?.properties ?? {})
      for (const property of properties) {
        const offered = property.options?.map((option) => option.value)
        if (property.from === 'usage_status') expect(offered).toEqual(USAGE_STATUSES)
        if (property.from === 'sales_status') expect(offered).toEqual(SALES_STATUSES)
        if (property.from === 'trend') {
          expect(offered).toEqual(['rising', 'steady', 'falling', 'quiet'])
        }
      }
    }
  })
})

describe('the presets that are shipped', () => {
  it('are checked and not run', () => {
    const { models } = parseMappingSet(shipped())
    expect(Object.keys(shipped()).filter((name) => name.startsWith('presets/'))).toHaveLength(3)
    for (const id of ['weighted', 'frequency', 'thresholds']) expect(models.has(id)).toBe(false)
  })

  it('run once they are copied', () => {
    const files = shipped()
    const copies = Object.entries(files).flatMap(([name, text]) =>
      name.startsWith('presets/') ? [[name.replace('presets/', 'models/'), text]] : [],
    )
    const { models } = parseMappingSet({ ...files, ...Object.fromEntries(copies) })
    expect([...models.keys()]).toEqual(
      expect.arrayContaining(['weighted', 'frequency', 'thresholds', 'people']),
    )
  })
})

describe('a mapping folder', () => {
  it('without usage.yaml is refused by that name', () => {
    const { 'usage.yaml': _, ...rest } = shipped()
    expect(problemsOf(rest)).toEqual(['usage.yaml: missing in the mapping folder'])
  })

  it('lists what is wrong in all of its files together', () => {
    const files = {
      ...changed('usage.yaml', 'family: activation', 'family: value'),
      'models/people.yaml': changed('models/people.yaml', 'exit: 40', 'exit: 50')[
        'models/people.yaml'
      ] as string,
    }
    expect(problemsOf(files)).toEqual([
      expect.stringMatching(/^usage\.yaml:\d+:\d+: actions\.activated\.family/),
      expect.stringMatching(/^models\/people\.yaml:\d+:\d+: status\.exit/),
    ])
  })

  it.each(['people.yaml', 'models/old/people.yaml', 'preset/people.yaml'])(
    'with a file %s, which nobody reads, is refused with the names that are read',
    (name) => {
      const files = { ...shipped(), [name]: 'id: people' }
      expect(problemsOf(files)).toEqual([
        `${name}: nobody reads a file of this name; known are usage.yaml, identity.yaml, traits.yaml, hubspot.yaml, salesforce.yaml, models/*.yaml, presets/*.yaml, sources/*.yaml, playbooks/*.yaml`,
      ])
    },
  )

  it('with a preset that is wrong is refused, though it is not run', () => {
    const files = changed('presets/frequency.yaml', 'exit: 50', 'exit: 60')
    expect(problemsOf(files)).toEqual([
      expect.stringMatching(/^presets\/frequency\.yaml:\d+:3: status\.exit: exit must lie below/),
    ])
  })

  it('with two models of one name is refused, naming both files', () => {
    const files = shipped()
    const copy = { ...files, 'models/people-copy.yaml': files['models/people.yaml'] as string }
    expect(problemsOf(copy)).toEqual([
      `models/people-copy.yaml:${placeIn(files['models/people.yaml'] ?? '', 'id: people')}: id: people is the id of models/people.yaml too; give each model its own`,
    ])
  })
})
