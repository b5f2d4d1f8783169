import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { matchOutcomes } from '../../connectors/crms/hubspot/match-outcomes.ts'
import { packValues } from '../../connectors/crms/hubspot/search.ts'
import { toWriteInputs } from '../../connectors/crms/hubspot/write-inputs.ts'
import type { CrmWrite } from '../../src/core/ports/crm.ts'

const KEY = 'pql_person_id'

function write(
  key: string,
  crmId: string | null,
  properties: CrmWrite['properties'] = {},
): CrmWrite {
  return { ref: key, key, crmId, properties }
}

function answer(status: number, body: unknown) {
  return { status, headers: { 'x-hubspot-correlation-id': 'c-1' }, body }
}

describe('the inputs of a batch', () => {
  it('carry our key and all values as strings', () => {
    const { inputs } = toWriteInputs([write('k1', null, { score: 70 })], KEY)
    expect(inputs).toEqual([
      {
        traceId: 'w0',
        positions: [0],
        key: 'k1',
        crmId: null,
        properties: { [KEY]: 'k1', score: '70' },
      },
    ])
  })

  it('are one for each record, where later values win', () => {
    const writes = [
      write('k1', '7', { a: 1, b: 1 }),
      write('k2', '8'),
      write('k3', '7', { b: 2 }),
      write('k1', null, { c: 3 }),
    ]
    const { inputs } = toWriteInputs(writes, KEY)
    expect(inputs.map(({ crmId, positions }) => ({ crmId, positions }))).toEqual([
      { crmId: '7', positions: [0, 2, 3] },
      { crmId: '8', positions: [1] },
    ])
    expect(inputs[0]?.properties).toEqual({ [KEY]: 'k1', a: '1', b: '2', c: '3' })
  })

  it('leave out a value without meaning, and say which', () => {
    const { inputs, unsendable } = toWriteInputs([write('k1', null, { score: Number.NaN })], KEY)
    expect(inputs).toEqual([])
    expect(unsendable).toEqual([{ position: 0, property: 'score' }])
  })

  it('answer every position exactly once, under names that do not repeat', () => {
    const id = fc.option(fc.constantFrom('1', '2', '3'))
    const key = fc.constantFrom('k1', 'k2', 'k3', 'k4')
    fc.assert(
      fc.property(fc.array(fc.tuple(key, id), { maxLength: 12 }), (records) => {
        const { inputs } = toWriteInputs(
          records.map(([k, crmId]) => write(k, crmId)),
          KEY,
        )
        const positions = inputs.flatMap((input) => input.positions).sort((a, b) => a - b)
        expect(positions).toEqual(records.map((_, index) => index))
        expect(new Set(inputs.map((input) => input.traceId)).size).toBe(inputs.length)
        expect(new Set(inputs.map((input) => input.crmId ?? input.key)).size).toBe(inputs.length)
      }),
    )
  })
})

describe('the outcome of an input', () => {
  const { inputs } = toWriteInputs([write('k1', '1'), write('k2', '2'), write('k3', '3')], KEY)
  function outcomes(body: unknown, status = 207) {
    const matched = matchOutcomes(inputs, answer(status, body), KEY)
    return { kinds: inputs.map((input) => matched.outcomes.get(input)?.kind), matched }
  }

  it('is found by record id, in any order', () => {
    const { kinds } = outcomes({ results: [{ id: '3' }, { id: 1 }, { id: '2' }] }, 200)
    expect(kinds).toEqual(['written', 'written', 'written'])
  })

  it('is found by our own key after an upsert', () => {
    const upserts = toWriteInputs([write('k1', null), write('k2', null)], KEY).inputs
    const body = {
      results: [
        { id: '12', properties: { [KEY]: 'k2' }, new: true },
        { id: '11', properties: { [KEY]: 'k1' }, new: false },
      ],
    }
    const matched = matchOutcomes(upserts, answer(200, body), KEY)
    expect(upserts.map((input) => matched.outcomes.get(input))).toEqual([
      { kind: 'written', crmId: '11', created: false },
      { kind: 'written', crmId: '12', created: true },
    ])
  })

  it.each([
    { name: 'an empty success', body: null },
    { name: 'a success without results', body: { status: 'COMPLETE', results: [] } },
    { name: 'the page of a proxy', body: '<html>' },
    { name: 'results without ids', body: { results: [{}, null, 'x'] } },
  ])('is unknown after $name', ({ body }) => {
    expect(outcomes(body, 200).kinds).toEqual(['unknown', 'unknown', 'unknown'])
  })

  it('is the error that names its trace, its id or its key', () => {
    const { kinds, matched } = outcomes({
      results: [],
      errors: [
        { category: 'VALIDATION_ERROR', context: { objectWriteTraceId: ['w0'] } },
        { category: 'OBJECT_NOT_FOUND', context: { ids: ['2'] } },
        { message: 'Existing ID: 9', category: 'CONFLICT', context: { id: ['k3'] } },
      ],
    })
    expect(kinds).toEqual(['rejected', 'absent', 'exists'])
    expect(matched.doubted).toEqual([])
  })

  it('is a rejection when something else than the record to update is not there', () => {
    const upserts = toWriteInputs([write('k1', null)], KEY).inputs
    const errors = [{ category: 'OBJECT_NOT_FOUND', context: { objectWriteTraceId: ['w0'] } }]
    const matched = matchOutcomes(upserts, answer(207, { results: [], errors }), KEY)
    expect(upserts.map((input) => matched.outcomes.get(input)?.kind)).toEqual(['rejected'])
  })

  it('stays open when an error names nobody', () => {
    const { kinds, matched } = outcomes({
      results: [{ id: '1' }],
      errors: [{ category: 'CONFLICT' }],
    })
    expect(kinds).toEqual(['written', 'unknown', 'unknown'])
    expect(matched.doubted.map((input) => input.crmId)).toEqual(['2', '3'])
  })
})

describe('the values of a search', () => {
  it('are spread over queries that HubSpot takes, none of them lost', () => {
    const value = fc.string({ minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(fc.uniqueArray(value, { maxLength: 300 }), (values) => {
        const groups = packValues(values)
        expect(groups.flat()).toEqual(values)
        for (const group of groups) {
          expect(group.length).toBeLessThanOrEqual(100)
          expect(JSON.stringify(group).length).toBeLessThan(2_600)
        }
      }),
    )
  })
})
