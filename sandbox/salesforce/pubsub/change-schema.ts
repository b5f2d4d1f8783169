import { createHash } from 'node:crypto'
import {
  type FieldDefinition,
  NUMBER_TYPES,
  type ObjectDefinition,
  type Value,
} from '../field-definition.ts'
import { readDateTime } from '../salesforce-time.ts'
import { type AvroType, avroType } from './avro.ts'

/** Fields that no change event has. */
const LEFT_OUT = new Set([
  'Id',
  'IsDeleted',
  'SystemModstamp',
  'LastViewedDate',
  'LastReferencedDate',
  'PhotoUrl',
])
const DAY_MS = 86_400_000

/** A place in the schema: a field of its own, or a name or an address with its parts. */
export interface SchemaField {
  readonly name: string
  /** The object's fields behind it; one, unless it is a compound. */
  readonly parts: readonly { readonly name: string; readonly field: FieldDefinition }[]
  readonly isCompound: boolean
}

/** What an object's change events look like. */
export interface ChangeSchema {
  readonly id: string
  readonly json: string
  readonly type: AvroType
  /** In the order of the schema; the header stands before them, at 0. */
  readonly fields: readonly SchemaField[]
}

const HEADER = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: { type: 'array', items: 'string' } },
    {
      name: 'changeType',
      type: {
        type: 'enum',
        name: 'ChangeType',
        symbols: [
          'CREATE',
          'UPDATE',
          'DELETE',
          'UNDELETE',
          'GAP_CREATE',
          'GAP_UPDATE',
          'GAP_DELETE',
          'GAP_UNDELETE',
          'GAP_OVERFLOW',
          'SNAPSHOT',
        ],
      },
    },
    { name: 'changeOrigin', type: 'string' },
    { name: 'transactionKey', type: 'string' },
    { name: 'sequenceNumber', type: 'int' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'commitUser', type: 'string' },
    { name: 'nulledFields', type: { type: 'array', items: 'string' } },
    { name: 'diffFields', type: { type: 'array', items: 'string' } },
    { name: 'changedFields', type: { type: 'array', items: 'string' } },
  ],
} as const

/** The schema of an object's change events, as its fields are just then. */
export function changeSchema(definition: ObjectDefinition): ChangeSchema {
  const fields = schemaFields(definition)
  const schema = {
    type: 'record',
    name: `${definition.name.replace(/__c$/, '__')}ChangeEvent`,
    namespace: 'com.sforce.eventbus',
    fields: [{ name: 'ChangeEventHeader', type: HEADER }, ...fields.map(avroField(definition))],
  }
  const json = JSON.stringify(schema)
  const id = createHash('md5').update(json).digest('base64url')
  return { id, json, type: avroType(schema), fields }
}

/** A field's value in the form of its Avro type, inside the union with null. */
export function avroValue(field: FieldDefinition, value: Value): unknown {
  if (value === null) return null
  if (field.type === 'datetime') return { long: readDateTime(String(value)) ?? 0 }
  if (field.type === 'date') return { int: Math.floor(Date.parse(String(value)) / DAY_MS) }
  return { [avroName(field)]: value }
}

/** The name of the record type of a compound. */
export function compoundType(definition: ObjectDefinition, name: string): string {
  return `${definition.name}_${name === 'Name' ? 'PersonName' : name}`
}

function schemaFields(definition: ObjectDefinition): SchemaField[] {
  const fields: SchemaField[] = []
  const compounds = new Map<string, { name: string; field: FieldDefinition }[]>()
  for (const field of definition.fields.values()) {
    if (LEFT_OUT.has(field.name) || field.type === 'address') continue
    const whole = wholeOf(definition, field)
    if (whole === null) {
      fields.push({ name: field.name, parts: [{ name: field.name, field }], isCompound: false })
      continue
    }
    const parts = compounds.get(whole) ?? []
    // The last name of a person is kept in parts, so that the whole name needs no place of its own.
    if (field.name !== 'Name') parts.push({ name: partName(whole, field.name), field })
    if (compounds.has(whole)) continue
    compounds.set(whole, parts)
    fields.push({ name: whole, parts, isCompound: true })
  }
  return fields
}

function wholeOf(definition: ObjectDefinition, field: FieldDefinition): string | null {
  if (field.compound !== null) return field.compound
  const isPerson = definition.fields.get('LastName')?.compound === 'Name'
  return field.name === 'Name' && isPerson ? 'Name' : null
}

function partName(whole: string, name: string): string {
  const prefix = whole.replace(/Address$/, '')
  return whole === 'Name' || !name.startsWith(prefix) ? name : name.slice(prefix.length)
}

function avroField(definition: ObjectDefinition) {
  return ({ name, parts, isCompound }: SchemaField): unknown => {
    const [only] = parts
    if (!isCompound && only !== undefined) return nullable(name, avroTypeOf(only.field))
    return nullable(name, {
      type: 'record',
      name: compoundType(definition, name),
      fields: parts.map((part) => nullable(part.name, avroTypeOf(part.field))),
    })
  }
}

function nullable(name: string, type: unknown): unknown {
  return { name, type: ['null', type], default: null }
}

function avroTypeOf(field: FieldDefinition): unknown {
  if (field.type === 'datetime') return 'long'
  return field.type === 'date' ? 'int' : avroName(field)
}

function avroName(field: FieldDefinition): 'boolean' | 'int' | 'double' | 'string' {
  if (field.type === 'boolean') return 'boolean'
  if (field.type === 'int') return 'int'
  return NUMBER_TYPES.has(field.type) ? 'double' : 'string'
}
