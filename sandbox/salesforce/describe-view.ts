import type { FieldDefinition, FieldType, ObjectDefinition } from './field-definition.ts'
import { NUMBER_TYPES } from './field-definition.ts'
import type { OrgState } from './org-state.ts'

const SOAP_TYPES: Readonly<Record<FieldType, string>> = {
  id: 'tns:ID',
  reference: 'tns:ID',
  boolean: 'xsd:boolean',
  int: 'xsd:int',
  double: 'xsd:double',
  currency: 'xsd:double',
  percent: 'xsd:double',
  date: 'xsd:date',
  datetime: 'xsd:dateTime',
  address: 'urn:address',
  string: 'xsd:string',
  email: 'xsd:string',
  phone: 'xsd:string',
  url: 'xsd:string',
  textarea: 'xsd:string',
  picklist: 'xsd:string',
  multipicklist: 'xsd:string',
  combobox: 'xsd:string',
}

/** `GET /sobjects`. */
export function describeAll(state: OrgState, apiVersion: string): unknown {
  return {
    encoding: 'UTF-8',
    maxBatchSize: 200,
    sobjects: state.allTables().map(({ definition }) => summaryOf(definition, apiVersion)),
  }
}

/** `GET /sobjects/X/describe`, as the user of the API sees the object. */
export function describeObject(
  state: OrgState,
  definition: ObjectDefinition,
  apiVersion: string,
): unknown {
  const recordTypes = [...state.table('RecordType').find('SobjectType', definition.name)]
  return {
    ...summaryOf(definition, apiVersion),
    fields: [...definition.fields.values()].filter(({ visible }) => visible).map(describeField),
    childRelationships: childrenOf(state, definition.name),
    recordTypeInfos: [
      ...recordTypes.map((row) => ({
        active: row.values['IsActive'] === true,
        available: true,
        defaultRecordTypeMapping: false,
        developerName: row.values['DeveloperName'],
        master: false,
        name: row.values['Name'],
        recordTypeId: row.id,
      })),
      {
        active: true,
        available: true,
        defaultRecordTypeMapping: true,
        developerName: 'Master',
        master: true,
        name: 'Master',
        recordTypeId: '012000000000000AAA',
      },
    ],
  }
}

function summaryOf(definition: ObjectDefinition, apiVersion: string): Record<string, unknown> {
  const base = `/services/data/v${apiVersion}/sobjects/${definition.name}`
  const { name, label, plural, keyPrefix, custom } = definition
  return {
    activateable: false,
    createable: definition.createable,
    custom,
    customSetting: false,
    deletable: definition.deletable,
    deprecatedAndHidden: false,
    feedEnabled: false,
    keyPrefix,
    label,
    labelPlural: plural,
    layoutable: definition.createable,
    mergeable: definition.mergeable,
    name,
    queryable: definition.queryable,
    replicateable: definition.replicateable,
    retrieveable: definition.queryable,
    searchable: definition.createable,
    triggerable: definition.createable,
    undeletable: definition.undeletable,
    updateable: definition.updateable,
    urls: { sobject: base, describe: `${base}/describe`, rowTemplate: `${base}/{ID}` },
  }
}

function describeField(field: FieldDefinition): Record<string, unknown> {
  const isNumber = NUMBER_TYPES.has(field.type)
  return {
    name: field.name,
    label: field.label,
    type: field.type,
    soapType: SOAP_TYPES[field.type],
    length: field.length,
    byteLength: field.length * (field.type === 'id' || field.type === 'reference' ? 1 : 3),
    precision: field.precision,
    scale: field.scale,
    digits: field.type === 'int' ? 8 : 0,
    createable: field.createable && field.editable,
    updateable: field.updateable && field.editable,
    nillable: field.nillable,
    defaultedOnCreate: field.defaulted || (field.type === 'boolean' && !field.nillable),
    defaultValue: field.type === 'boolean' ? false : null,
    unique: field.unique,
    externalId: field.externalId,
    idLookup: field.idLookup,
    caseSensitive: field.caseSensitive && field.type !== 'id' && field.type !== 'reference',
    filterable: field.filterable,
    sortable: field.sortable,
    groupable: field.groupable && !isNumber,
    nameField: field.nameField,
    namePointing: field.referenceTo.length > 1,
    custom: field.custom,
    calculated: false,
    calculatedFormula: null,
    autoNumber: false,
    cascadeDelete: false,
    compoundFieldName: field.compound,
    controllerName: null,
    dependentPicklist: false,
    deprecatedAndHidden: false,
    encrypted: false,
    inlineHelpText: null,
    permissionable: field.custom || (field.nillable && field.createable),
    picklistValues: field.picklist.map((value) => ({ ...value, validFor: null })),
    polymorphicForeignKey: field.referenceTo.length > 1,
    referenceTo: field.referenceTo,
    relationshipName: field.relationshipName,
    relationshipOrder: null,
    restrictedPicklist: field.restricted,
  }
}

function childrenOf(state: OrgState, parent: string): unknown[] {
  return state.allTables().flatMap(({ definition }) =>
    [...definition.fields.values()]
      .filter(({ referenceTo, visible }) => visible && referenceTo.includes(parent))
      .map((field) => ({
        cascadeDelete: false,
        childSObject: definition.name,
        deprecatedAndHidden: false,
        field: field.name,
        relationshipName: field.childName,
        restrictedDelete: false,
      })),
  )
}
