/**
 * Elements that Salesforce's Metadata API reference (API version 67) names for the types of the package,
 * by type and, below it, by element. Names only; written down from the reference's tables.
 */
export interface Elements {
  readonly [element: string]: true | Elements
}

const CUSTOM_FIELD: Elements = {
  fullName: true,
  caseSensitive: true,
  defaultValue: true,
  description: true,
  externalId: true,
  inlineHelpText: true,
  label: true,
  length: true,
  precision: true,
  required: true,
  scale: true,
  trackHistory: true,
  type: true,
  unique: true,
  valueSet: {
    restricted: true,
    valueSetDefinition: { sorted: true, value: { fullName: true, default: true, label: true } },
  },
  visibleLines: true,
}

const PERMISSION_SET: Elements = {
  description: true,
  fieldPermissions: { editable: true, field: true, readable: true },
  hasActivationRequired: true,
  label: true,
  objectPermissions: {
    allowCreate: true,
    allowDelete: true,
    allowEdit: true,
    allowRead: true,
    modifyAllRecords: true,
    object: true,
    viewAllFields: true,
    viewAllRecords: true,
  },
  userPermissions: { enabled: true, name: true },
}

const LIST_VIEW: Elements = {
  fullName: true,
  booleanFilter: true,
  columns: true,
  filterScope: true,
  filters: { field: true, operation: true, value: true },
  label: true,
}

const REPORT_TYPE: Elements = {
  baseObject: true,
  category: true,
  deployed: true,
  description: true,
  join: { join: true, outerJoin: true, relationship: true },
  label: true,
  sections: {
    columns: { checkedByDefault: true, displayNameOverride: true, field: true, table: true },
    masterLabel: true,
  },
}

const VALUE: Elements = { stringValue: true, booleanValue: true, elementReference: true }

const FLOW: Elements = {
  apiVersion: true,
  description: true,
  interviewLabel: true,
  label: true,
  processType: true,
  recordCreates: {
    name: true,
    label: true,
    locationX: true,
    locationY: true,
    inputAssignments: { field: true, value: VALUE },
    object: true,
  },
  start: {
    locationX: true,
    locationY: true,
    connector: { targetReference: true },
    doesRequireRecordChangedToMeetCriteria: true,
    filterLogic: true,
    filters: { field: true, operator: true, value: VALUE },
    object: true,
    recordTriggerType: true,
    triggerType: true,
  },
  status: true,
}

export const SALESFORCE_ELEMENTS: Readonly<Record<string, Elements>> = {
  CustomField: CUSTOM_FIELD,
  PermissionSet: PERMISSION_SET,
  ListView: LIST_VIEW,
  ReportType: REPORT_TYPE,
  Flow: FLOW,
  LeadConvertSettings: {
    allowOwnerChange: true,
    objectMapping: {
      inputObject: true,
      mappingFields: { inputField: true, outputField: true },
      outputObject: true,
    },
    opportunityCreationOptions: true,
  },
  PlatformEventChannelMember: {
    enrichedFields: { name: true },
    eventChannel: true,
    filterExpression: true,
    selectedEntity: true,
  },
}
