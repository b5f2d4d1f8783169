import type { FieldDefinition, FieldType } from './field-definition.ts'
import type { OrgState } from './org-state.ts'

/** A field of the customer's own, or a change of one that is there. */
export interface FieldChange {
  readonly name: string
  readonly label?: string
  readonly type?: FieldType
  readonly length?: number
  readonly precision?: number
  readonly scale?: number
  readonly externalId?: boolean
  readonly unique?: boolean
  readonly caseSensitive?: boolean
  readonly required?: boolean
  readonly restricted?: boolean
  /** Values of a picklist; the first of them is no default. */
  readonly values?: readonly string[]
  readonly referenceTo?: readonly string[]
  /** Field-level security: hidden from the user of the API. */
  readonly visible?: boolean
  /** Field-level security: the user of the API may change it. */
  readonly editable?: boolean
}

const LENGTHS: Partial<Record<FieldType, number>> = {
  string: 255,
  email: 80,
  phone: 40,
  url: 255,
  textarea: 32_768,
  picklist: 255,
  multipicklist: 4099,
  reference: 18,
}

/** Objects whose fields are one: a field of Activity stands on both. */
const ACTIVITY = ['Task', 'Event'] as const

/** Defines a custom field, or changes how a field is set up. `Activity` stands for Task and Event. */
export function defineField(state: OrgState, object: string, change: FieldChange): void {
  if (object === 'Activity') {
    for (const name of ACTIVITY) defineField(state, name, change)
    return
  }
  const existing = state.table(object).field(change.name)
  if (existing === undefined && !change.name.endsWith('__c')) {
    throw new Error(`${change.name} is no custom field`)
  }
  state.setField(object, merged(existing ?? blank(change), change))
}

function merged(field: FieldDefinition, change: FieldChange): FieldDefinition {
  const type = change.type ?? field.type
  const length = change.length ?? (change.type === undefined ? field.length : (LENGTHS[type] ?? 0))
  const isLong = type === 'textarea' && length > 255
  const { values, required } = change
  return {
    ...field,
    label: change.label ?? field.label,
    type,
    length,
    precision: change.precision ?? field.precision,
    scale: change.scale ?? field.scale,
    externalId: change.externalId ?? field.externalId,
    unique: change.unique ?? field.unique,
    caseSensitive: change.caseSensitive ?? (type === 'reference' || field.caseSensitive),
    idLookup: change.externalId ?? field.idLookup,
    restricted: change.restricted ?? field.restricted,
    nillable: required === undefined ? field.nillable : !required,
    filterable: field.custom ? !isLong : field.filterable,
    sortable: field.custom ? !isLong : field.sortable,
    groupable: field.custom ? !isLong && type !== 'datetime' : field.groupable,
    referenceTo: change.referenceTo ?? field.referenceTo,
    relationshipName:
      change.referenceTo === undefined
        ? field.relationshipName
        : change.name.replace(/__c$/, '__r'),
    picklist:
      values?.map((value) => ({ value, label: value, active: true, defaultValue: false })) ??
      field.picklist,
    visible: change.visible ?? field.visible,
    editable: change.editable ?? field.editable,
  }
}

function blank({ name, type = 'string' }: FieldChange): FieldDefinition {
  const isNumber = type === 'double' || type === 'currency' || type === 'percent'
  return {
    name,
    label: name.replace(/__c$/, '').replaceAll('_', ' '),
    type,
    length: LENGTHS[type] ?? 0,
    precision: isNumber ? 18 : 0,
    scale: 0,
    createable: true,
    updateable: true,
    nillable: type !== 'boolean',
    defaulted: type === 'boolean',
    idLookup: false,
    externalId: false,
    unique: false,
    caseSensitive: false,
    restricted: false,
    custom: true,
    filterable: true,
    sortable: true,
    groupable: true,
    nameField: false,
    picklist: [],
    referenceTo: [],
    relationshipName: null,
    childName: null,
    visible: true,
    editable: true,
    compound: null,
  }
}
