/** Field types in the words of describe. */
export type FieldType =
  | 'id'
  | 'string'
  | 'boolean'
  | 'int'
  | 'double'
  | 'currency'
  | 'percent'
  | 'date'
  | 'datetime'
  | 'email'
  | 'phone'
  | 'url'
  | 'textarea'
  | 'picklist'
  | 'multipicklist'
  | 'combobox'
  | 'reference'
  | 'address'

/** What a field of a record holds. Dates and times are texts in Salesforce's own form. */
export type Value = string | number | boolean | null

export interface PicklistValue {
  readonly value: string
  readonly label: string
  readonly active: boolean
  readonly defaultValue: boolean
}

/** A field of an object, as far as anything here depends on it. */
export interface FieldDefinition {
  readonly name: string
  readonly label: string
  readonly type: FieldType
  /** Characters; 0 for what is no text. */
  readonly length: number
  readonly precision: number
  readonly scale: number
  readonly createable: boolean
  readonly updateable: boolean
  readonly nillable: boolean
  /** Filled on create when nothing is given. */
  readonly defaulted: boolean
  readonly idLookup: boolean
  readonly externalId: boolean
  readonly unique: boolean
  readonly caseSensitive: boolean
  readonly restricted: boolean
  readonly custom: boolean
  readonly filterable: boolean
  readonly sortable: boolean
  readonly groupable: boolean
  readonly nameField: boolean
  readonly picklist: readonly PicklistValue[]
  readonly referenceTo: readonly string[]
  /** How a query walks to the other record, such as `Owner`. */
  readonly relationshipName: string | null
  /** How the other record's query sees these, such as `OpportunityContactRoles`. */
  readonly childName: string | null
  /** False: field-level security hides it from the user of the API. */
  readonly visible: boolean
  /** False: field-level security lets the user of the API only read it. */
  readonly editable: boolean
  /** Address or name that it is a part of. */
  readonly compound: string | null
}

/** An object of the org. */
export interface ObjectDefinition {
  readonly name: string
  readonly label: string
  readonly plural: string
  readonly keyPrefix: string
  readonly custom: boolean
  readonly createable: boolean
  readonly updateable: boolean
  readonly deletable: boolean
  readonly undeletable: boolean
  readonly mergeable: boolean
  /** getUpdated and getDeleted answer for it. */
  readonly replicateable: boolean
  readonly queryable: boolean
  /** In the order of describe. */
  readonly fields: Map<string, FieldDefinition>
}

export const TEXT_TYPES: ReadonlySet<FieldType> = new Set<FieldType>([
  'string',
  'email',
  'phone',
  'url',
  'textarea',
  'picklist',
  'multipicklist',
  'combobox',
])

export const NUMBER_TYPES: ReadonlySet<FieldType> = new Set<FieldType>([
  'int',
  'double',
  'currency',
  'percent',
])
