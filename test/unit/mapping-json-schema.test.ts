import { describe, expect, it } from '@jest/globals'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { parse } from 'yaml'
import { FILE_KINDS, jsonSchemaOf, kindOf } from '../../src/core/mapping/file-kinds.ts'
import { shipped } from '../support/shipped-mappings.ts'

const ajv = new Ajv2020({
  allErrors: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
})
// Described by patterns too; that the words are known is enough here.
for (const format of ['email', 'date']) ajv.addFormat(format, true)
const validators = new Map<string, ValidateFunction>(
  FILE_KINDS.map((kind) => [kind.name, ajv.compile({ ...jsonSchemaOf(kind) })]),
)

function accepts(kind: string, data: unknown): boolean {
  const validate = validators.get(kind)
  if (!validate) throw new Error(`no schema ${kind}`)
  return validate(data)
}

type Node = Readonly<Record<string, unknown>>
const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Every schema within a schema, with where it stands. */
function* within(node: unknown, path = ''): Generator<{ path: string; node: Node }> {
  if (Array.isArray(node)) for (const one of node) yield* within(one, path)
  if (!isNode(node)) return
  yield { path, node }
  for (const [name, value] of Object.entries(node)) {
    if (name === 'default' || name === 'enum' || name === 'const') continue
    // A map of schemas, whose names are those of fields.
    const inner = name === 'properties' && isNode(value) ? Object.entries(value) : [[name, value]]
    for (const [step, one] of inner) yield* within(one, `${path}/${step}`)
  }
}

describe.each(FILE_KINDS)('$name', (kind) => {
  const schema = jsonSchemaOf(kind)

  it('is a schema of draft 2020-12 with a name of its own', () => {
    expect(schema).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: `urn:ripen:schema:${kind.name}`,
      title: expect.stringMatching(/\w/),
    })
    expect(ajv.validateSchema(schema)).toBe(true)
  })

  it('describes every field', () => {
    const mute = [...within(schema)].flatMap(({ path, node }) =>
      // Conditions name fields that are described elsewhere.
      isNode(node['properties']) && !/\/(if|then|anyOf|allOf)\/?$/.test(path)
        ? Object.entries(node['properties'])
            .filter(([, field]) => !isNode(field) || !/\w{3}/.test(String(field['description'])))
            .map(([name]) => `${path}/${name}`)
        : [],
    )
    expect(mute).toEqual([])
  })

  it('has defaults that may stand in a file', () => {
    for (const { path, node } of within(schema)) {
      if (!('default' in node)) continue
      const { default: value, ...rest } = node
      expect({
        path,
        value,
        fits: new Ajv2020({ strict: false, formats: { email: true, date: true } }).validate(
          rest,
          value,
        ),
      }).toEqual({ path, value, fits: true })
    }
  })
})

describe('the files that come with Ripen', () => {
  it.each(Object.keys(shipped()))('%s is accepted', (file) => {
    const kind = kindOf(file)?.name ?? 'none'
    const accepted = accepts(kind, parse(shipped()[file] ?? ''))
    expect({ kind, errors: validators.get(kind)?.errors ?? null, accepted }).toMatchObject({
      errors: null,
      accepted: true,
    })
  })
})

/** A shipped file with something changed in it. */
type Change = (data: never) => void

const usage = (change: Change) => ({ kind: 'usage', file: 'usage.yaml', change })
const model = (change: Change) => ({ kind: 'model', file: 'models/people.yaml', change })
const hubspot = (change: Change) => ({ kind: 'hubspot', file: 'hubspot.yaml', change })
const salesforce = (change: Change) => ({ kind: 'salesforce', file: 'salesforce.yaml', change })

type Any = Record<string, never> & { [name: string]: Any }

describe('a file that Ripen refuses is refused by its schema:', () => {
  it.each([
    { name: 'an unknown field', ...usage((d: Any) => void Object.assign(d, { x: 1 })) },
    { name: 'no action', ...usage((d: Any) => void Object.assign(d, { actions: {} })) },
    {
      name: 'a condition without a test',
      ...usage((d: Any) => {
        const from = [{ event: 'x', where: { plan: {} } }]
        Object.assign(d, { actions: { a: { label: 'A', family: 'usage', from } } })
      }),
    },
    { name: 'another format', ...usage((d: Any) => void Object.assign(d, { version: 2 })) },
    {
      name: 'a place that is none',
      ...usage((d: Any) => void Object.assign(d, { email: ['mail'] })),
    },
    { name: 'a duration as a number', ...model((d: Any) => void Object.assign(d, { window: 30 })) },
    {
      name: 'hours where days are meant',
      ...model((d: Any) => void Object.assign(d, { window: '30h' })),
    },
    { name: 'no signals', ...model((d: Any) => void Object.assign(d, { signals: [] })) },
    {
      name: 'a signal that measures nothing',
      ...model(
        (d: Any) => void Object.assign(d, { signals: [{ id: 'a', label: 'A', points: 1 }] }),
      ),
    },
    {
      name: 'a signal of two kinds',
      ...model((d: Any) => {
        const signal = { id: 'a', label: 'A', points: 1, action: 'x', trait: 'y' }
        Object.assign(d, { signals: [signal] })
      }),
    },
    {
      name: 'an enumeration without options',
      ...hubspot((d: Any) => {
        const property = { from: 'grade', type: 'enumeration', label: 'Grade' }
        Object.assign(d['objects']?.['contact']?.['properties'] ?? {}, { pql_x: property })
      }),
    },
    {
      name: 'signals as one text',
      ...hubspot((d: Any) => {
        const property = { from: 'signals', type: 'string', label: 'Signals' }
        Object.assign(d['objects']?.['contact']?.['properties'] ?? {}, { pql_x: property })
      }),
    },
    {
      name: 'a name that HubSpot refuses',
      ...hubspot((d: Any) => {
        const property = { from: 'grade', type: 'string', label: 'Grade' }
        Object.assign(d['objects']?.['contact']?.['properties'] ?? {}, { 'PQL Grade': property })
      }),
    },
    {
      name: 'a field of accounts on a contact',
      ...hubspot((d: Any) => {
        const property = { from: 'champion', type: 'string', label: 'Champion' }
        Object.assign(d['objects']?.['contact']?.['properties'] ?? {}, { pql_x: property })
      }),
    },
    {
      name: 'a group in Salesforce',
      ...salesforce(
        (d: Any) =>
          void Object.assign(d['objects']?.['contact'] ?? {}, { group: { name: 'a', label: 'A' } }),
      ),
    },
  ])('$name', ({ kind, file, change }) => {
    const data = parse(shipped()[file] ?? '')
    change(data as never)
    const schema = FILE_KINDS.find(({ name }) => name === kind)?.schema
    expect({ zod: schema?.safeParse(data).success, ajv: accepts(kind, data) }).toEqual({
      zod: false,
      ajv: false,
    })
  })

  const columns = { time: { column: 'at' }, event: { column: 'what' }, user: 'who' }
  it.each([
    {
      name: 'an event with a column and a name',
      columns: { ...columns, event: { column: 'a', always: 'b' } },
    },
    { name: 'an event with neither', columns: { ...columns, event: {} } },
    { name: 'nobody who did it', columns: { time: columns.time, event: columns.event } },
  ])('a source with $name', ({ columns: wrong }) => {
    const file = (given: object) => ({ version: 1, format: 'csv', columns: given })
    expect(accepts('source', file(columns))).toBe(true)
    expect(accepts('source', file(wrong))).toBe(false)
    const schema = FILE_KINDS.find(({ name }) => name === 'source')?.schema
    expect(schema?.safeParse(file(wrong)).success).toBe(false)
  })
})

describe('a file of a mapping folder', () => {
  it.each([
    ['usage.yaml', 'usage'],
    ['models/x.yaml', 'model'],
    ['presets/x.yaml', 'model'],
    ['sources/x.yaml', 'source'],
    ['models/more/x.yaml', undefined],
    ['other.yaml', undefined],
    ['other/usage.yaml', undefined],
  ])('%s is of the kind %s', (file, kind) => {
    expect(kindOf(file)?.name).toBe(kind)
  })
})
