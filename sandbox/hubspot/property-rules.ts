import type { JsonObject } from './api-endpoint.ts'
import { isObject } from './api-endpoint.ts'
import { HubspotError, invalid, invalidJson, PORTAL_ID } from './hubspot-error.ts'
import type { ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { PropertyDefinition, PropertyOption } from './property-definition.ts'

const MAX_UNIQUE = 10
const nameForm = /^[a-z][a-z0-9_]{0,99}$/

const fieldTypes: Readonly<Record<string, readonly string[]>> = {
  bool: ['booleancheckbox', 'calculation_equation'],
  date: ['date'],
  datetime: ['date'],
  enumeration: ['booleancheckbox', 'checkbox', 'radio', 'select', 'calculation_equation'],
  number: ['number', 'calculation_equation'],
  phone_number: ['phonenumber'],
  string: ['text', 'textarea', 'html', 'file', 'phonenumber', 'calculation_equation'],
}

/** A property as it will be after its creation; refuses what HubSpot refuses. */
export function newProperty(
  state: PortalState,
  type: ObjectType,
  input: JsonObject,
  now: number,
): PropertyDefinition {
  const name = freeName(state, type, input)
  const hasUniqueValue = input['hasUniqueValue'] === true
  if (hasUniqueValue) refuseTooManyUnique(state, type)
  const stamp = new Date(now).toISOString()
  return {
    name,
    hasUniqueValue,
    ...checkedShape(state, type, input),
    description: text(input, 'description'),
    displayOrder: typeof input['displayOrder'] === 'number' ? input['displayOrder'] : -1,
    calculated: text(input, 'fieldType').startsWith('calculation'),
    externalOptions: input['externalOptions'] === true,
    archived: false,
    hidden: input['hidden'] === true,
    modificationMetadata: {
      archivable: true,
      readOnlyDefinition: false,
      readOnlyValue: text(input, 'fieldType').startsWith('calculation'),
    },
    formField: input['formField'] === true,
    createdAt: stamp,
    updatedAt: stamp,
  }
}

/** A property after a PATCH. `options` replaces them all; name and uniqueness stay as they are. */
export function changedProperty(
  state: PortalState,
  type: ObjectType,
  current: PropertyDefinition,
  input: JsonObject,
  now: number,
): PropertyDefinition {
  const { name, hasUniqueValue } = current
  const shape = checkedShape(state, type, { ...current, ...input })
  return {
    ...current,
    ...shape,
    name,
    hasUniqueValue,
    description: 'description' in input ? text(input, 'description') : current.description,
    displayOrder:
      typeof input['displayOrder'] === 'number' ? input['displayOrder'] : current.displayOrder,
    hidden: typeof input['hidden'] === 'boolean' ? input['hidden'] : current.hidden,
    formField: typeof input['formField'] === 'boolean' ? input['formField'] : current.formField,
    updatedAt: new Date(now).toISOString(),
  }
}

function freeName(state: PortalState, type: ObjectType, input: JsonObject): string {
  const required = ['groupName', 'name', 'label', 'type', 'fieldType']
  const missing = required.filter((key) => text(input, key) === '')
  if (missing.length > 0) {
    throw invalidJson(`Some required fields were not set: [${missing.join(', ')}]`)
  }
  const name = text(input, 'name')
  if (!nameForm.test(name)) {
    throw invalid(`Property name ${name} may hold only lower-case letters, digits and underscores`)
  }
  const taken = state.properties(type).get(name)
  if (taken === undefined || taken.archived) return name
  const message = `A property named '${name}' already exists in portal ${PORTAL_ID}.`
  const subCategory = 'Properties.PROPERTY_EXISTS'
  throw new HubspotError(409, 'OBJECT_ALREADY_EXISTS', message, { subCategory })
}

function checkedShape(state: PortalState, type: ObjectType, input: JsonObject) {
  const valueType = text(input, 'type')
  const fieldType = text(input, 'fieldType')
  const groupName = text(input, 'groupName')
  const allowed = fieldTypes[valueType]
  if (allowed === undefined)
    throw invalid(`Property type ${valueType} is not one of ${Object.keys(fieldTypes).join(', ')}`)
  if (!allowed.includes(fieldType) && input['hubspotDefined'] !== true) {
    throw invalid(`fieldType ${fieldType} is not valid for a property of type ${valueType}`)
  }
  const group = state.groups(type).get(groupName)
  if (group === undefined || group.archived)
    throw invalid(`Property group ${groupName} does not exist`)
  return {
    label: text(input, 'label'),
    type: valueType,
    fieldType,
    groupName,
    options: readOptions(valueType, input['options']),
  }
}

function readOptions(valueType: string, given: unknown): PropertyOption[] {
  const options = Array.isArray(given) ? given.map(readOption) : []
  const values = options.map(({ value }) => value)
  if (new Set(values).size !== values.length) throw invalid('Property option values must be unique')
  if (valueType !== 'bool' || options.length > 0) return options
  return [
    readOption({ label: 'True', value: 'true' }, 0),
    readOption({ label: 'False', value: 'false' }, 1),
  ]
}

function readOption(option: unknown, index: number): PropertyOption {
  const input = isObject(option) ? option : {}
  if (text(input, 'label') === '' || text(input, 'value') === '') {
    throw invalid('A property option needs a label and a value')
  }
  return {
    label: text(input, 'label'),
    value: text(input, 'value'),
    description: text(input, 'description'),
    displayOrder: typeof input['displayOrder'] === 'number' ? input['displayOrder'] : index,
    hidden: input['hidden'] === true,
  }
}

function refuseTooManyUnique(state: PortalState, type: ObjectType): void {
  const own = [...state.properties(type).values()].filter(
    (property) => property.hasUniqueValue && !property.archived && !property.hubspotDefined,
  )
  if (own.length < MAX_UNIQUE) return
  throw invalid(`An object can have at most ${MAX_UNIQUE} properties with unique values`)
}

function text(input: JsonObject, key: string): string {
  const value = input[key]
  return typeof value === 'string' ? value : ''
}
