import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type UsageMapping, usageMappingSchema } from '../../src/core/mapping/usage-mapping.ts'
import { conditionedEvents, rollupSql } from '../../src/core/usage/rollup-sql.ts'

const plan = (from: readonly unknown[], core = false): UsageMapping =>
  usageMappingSchema.parse({
    version: 1,
    email: ['user.email'],
    actions: { hit: { label: 'Hit', family: 'usage', core, from } },
  })

describe('the query of a rollup', () => {
  it('binds every name and value of the mapping, and holds none of them', () => {
    const word = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).map((text) => `¤${text}¤`)
    fc.assert(
      fc.property(word, word, word, (event, property, value) => {
        const mapping = plan([{ event, where: { [property]: { equals: value, in: [value] } } }])
        const { sql, params } = rollupSql(mapping, 'amplitude')
        expect(sql).not.toContain('¤')
        expect(Object.values(params)).toEqual(expect.arrayContaining([event, value]))
        const named = [...sql.matchAll(/\$(p\d+)/g)].map(([, name]) => name)
        expect(new Set(named)).toEqual(new Set(Object.keys(params)))
      }),
    )
  })

  it.each([
    {
      name: 'an action from this source',
      from: [{ event: 'A', source: 'amplitude' }],
      core: true,
      parts: 3,
    },
    { name: 'an action that is no core work', from: [{ event: 'A' }], core: false, parts: 2 },
    {
      name: 'an action from another source',
      from: [{ event: 'A', source: 'mixpanel' }],
      core: true,
      parts: 1,
    },
  ])(
    'has a part for any use, for each action and for core work: $name',
    ({ from, core, parts }) => {
      const { sql } = rollupSql(plan(from, core), 'amplitude')
      expect(sql.split('union all')).toHaveLength(parts)
    },
  )
})

describe('a tracking plan', () => {
  it.each([
    { name: 'without a condition reads no properties', from: [{ event: 'A' }], want: [] },
    {
      name: 'with one condition reads those of its event',
      from: [{ event: 'A' }, { event: 'B', where: { path: { exists: true } } }],
      want: ['B'],
    },
  ])('$name', ({ from, want }) => {
    expect(conditionedEvents(plan(from))).toEqual(want)
  })
})
