import type { FieldDefinition, FieldType, PicklistValue } from '../field-definition.ts'
import { PICKLISTS } from './picklists.ts'

/** Which texts a filter cannot look into. */
const LONG_TEXT = 4000

/**
 * Reads a list of fields, one a line: `Name type[:length] FLAGS [>Target,Target Relation [Children]]`; of
 * money the length is that of the part after the point.
 *
 * Flags: `C` createable, `U` updateable, `N` nillable, `D` defaulted on create, `I` a key for lookup,
 * `R` a restricted picklist, `X` not to be filtered by. `@system` and `@address Prefix` stand for
 * what every record and every address has.
 */
export function readFieldList(object: string, text: string): FieldDefinition[] {
  return text
    .trim()
    .split('\n')
    .flatMap((line) => expand(line.trim()))
    .map((line) => readField(object, line))
}

const SYSTEM = `
Id id:18 DI
IsDeleted boolean D
CreatedDate datetime D
CreatedById reference D >User CreatedBy
LastModifiedDate datetime D
LastModifiedById reference D >User LastModifiedBy
SystemModstamp datetime D`

const ADDRESS = `
Street textarea:255 CUN
City string:40 CUN
State string:80 CUN
PostalCode string:20 CUN
Country string:80 CUN
Latitude double CUN
Longitude double CUN
GeocodeAccuracy picklist:40 CUNR
Address address N`

function expand(line: string): string[] {
  if (line === '@system') return SYSTEM.trim().split('\n')
  const prefix = /^@address ?(\w*)$/.exec(line)?.[1]
  if (prefix === undefined) return [line]
  return ADDRESS.trim()
    .split('\n')
    .map((part) => prefix + part)
}

function readField(object: string, line: string): FieldDefinition {
  const [name = '', typeText = '', ...rest] = line.split(' ')
  const [type, size] = typeText.split(':') as [FieldType, string | undefined]
  const flags = rest[0]?.startsWith('>') ? '' : (rest.shift() ?? '')
  const [targets = '', relation, children] = rest
  const has = (flag: string) => flags.includes(flag)
  const isText = size !== undefined && type !== 'int' && type !== 'currency'
  const length = isText ? Number(size) : defaultLength(type)
  const isFilterable = !has('X') && !(type === 'textarea' && length >= LONG_TEXT)
  return {
    name,
    label: labelOf(name),
    type,
    length,
    ...digits(type, size),
    createable: has('C'),
    updateable: has('U'),
    nillable: has('N'),
    defaulted: has('D'),
    idLookup: has('I'),
    externalId: false,
    unique: false,
    caseSensitive: type === 'id' || type === 'reference',
    restricted: has('R'),
    custom: false,
    filterable: isFilterable,
    sortable: isFilterable && type !== 'address',
    groupable:
      isFilterable && !['datetime', 'double', 'currency', 'percent', 'address'].includes(type),
    nameField: name === (object === 'Task' || object === 'Event' ? 'Subject' : 'Name'),
    picklist: picklistOf(object, name),
    referenceTo: targets === '' ? [] : targets.slice(1).split(','),
    relationshipName: relation ?? null,
    childName: children ?? null,
    visible: true,
    editable: true,
    compound: compoundOf(object, name),
  }
}

function defaultLength(type: FieldType): number {
  if (type === 'id' || type === 'reference') return 18
  return type === 'picklist' || type === 'string' ? 255 : 0
}

function digits(type: FieldType, size = '0'): { precision: number; scale: number } {
  if (type === 'int') return { precision: 0, scale: 0 }
  if (type === 'currency') return { precision: 18, scale: Number(size) }
  if (type === 'double') return { precision: 18, scale: 15 }
  return type === 'percent' ? { precision: 3, scale: 0 } : { precision: 0, scale: 0 }
}

function labelOf(name: string): string {
  if (name === 'Id') return 'Record ID'
  const words = name.replace(/([a-z0-9])([A-Z])/g, '$1 $2')
  return words.endsWith(' Id') ? words.replace(/ Id$/, ' ID') : words
}

function picklistOf(object: string, name: string): readonly PicklistValue[] {
  const values = PICKLISTS[`${object}.${name}`] ?? PICKLISTS[name] ?? []
  return values.map((text) => {
    const value = text.replace(/^\*/, '')
    return { value, label: value, active: true, defaultValue: text.startsWith('*') }
  })
}

const PART = /^(\w*?)(Street|City|State|PostalCode|Country|Latitude|Longitude|GeocodeAccuracy)$/
const NAMED = new Set(['Lead', 'Contact', 'User'])

function compoundOf(object: string, name: string): string | null {
  if (NAMED.has(object) && ['FirstName', 'LastName', 'Salutation'].includes(name)) return 'Name'
  const prefix = PART.exec(name)?.[1]
  return prefix === undefined ? null : `${prefix}Address`
}
