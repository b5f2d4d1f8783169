import { html, type Markup } from '../html.ts'
import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { PropertyDefinition } from './property-definition.ts'
import type { StoredRecord } from './stored-record.ts'
import { readable } from './value-format.ts'

/** A column of a list of records. */
export interface RecordColumn {
  readonly label: string
  /** The property to sort by; absent when the column has none. */
  readonly property?: PropertyDefinition
  readonly className: string
  cell(record: StoredRecord): Markup | string
}

const shownFirst: Readonly<Record<ObjectType, readonly string[]>> = {
  contacts: ['email', 'firstname', 'lastname'],
  companies: ['name', 'domain'],
  deals: ['dealname', 'amount', 'dealstage', 'closedate', 'hs_is_closed_won'],
  tasks: [
    ...['hs_task_subject', 'hs_task_body', 'hs_task_status', 'hs_task_completion_date'],
    ...['hs_task_type', 'hs_task_priority', 'hs_timestamp'],
  ],
  calls: ['hs_call_title', 'hs_call_direction', 'hs_timestamp'],
  emails: ['hs_email_subject', 'hs_email_direction', 'hs_timestamp'],
  meetings: ['hs_meeting_title', 'hs_timestamp'],
  notes: ['hs_note_body', 'hs_timestamp'],
}

const neighbours: Readonly<Record<ObjectType, readonly ObjectType[]>> = {
  contacts: ['companies', 'tasks', 'deals'],
  companies: ['contacts', 'tasks', 'deals'],
  deals: ['companies', 'contacts', 'tasks'],
  tasks: ['contacts', 'companies', 'deals'],
  calls: ['contacts', 'companies'],
  emails: ['contacts', 'companies'],
  meetings: ['contacts', 'companies'],
  notes: ['contacts', 'companies'],
}

/** The columns worth showing, among them every property that the product adds. */
export function recordColumns(state: PortalState, type: ObjectType): RecordColumn[] {
  const definitions = state.properties(type)
  // Ids are for machines: they come last.
  const own = [...definitions.values()]
    .filter(({ name, archived }) => /^pq[la]_/.test(name) && !archived)
    .sort((a, b) => Number(a.hasUniqueValue ?? false) - Number(b.hasUniqueValue ?? false))
  const named = shownFirst[type].flatMap((name) => definitions.get(name) ?? [])
  const modified = definitions.get(OBJECT_TYPES[type].modifiedProperty)
  return [
    idColumn(type, definitions.get('hs_object_id')),
    ...[...named, ...own].map(propertyColumn),
    ownerColumn(state, definitions.get('hubspot_owner_id')),
    ...neighbours[type].map((other) => neighbourColumn(state, type, other)),
    ...(modified === undefined ? [] : [propertyColumn({ ...modified, label: 'Modified' })]),
  ]
}

/** A link to the page of a record, with its name. */
export function recordLink(state: PortalState, type: ObjectType, id: string): Markup {
  const properties = state.table(type).resolve(id)?.properties ?? {}
  return html`<a href="/records/${type}/${id}">${recordName(properties) ?? id}</a>`
}

const NAMES = ['name', 'email', 'dealname', 'hs_task_subject', 'hs_call_title']

/** What people call a record; undefined for one without a name. */
export function recordName(properties: Readonly<Record<string, string>>): string | undefined {
  return [...NAMES, 'hs_email_subject', 'hs_meeting_title']
    .map((name) => properties[name])
    .find(Boolean)
}

function idColumn(type: ObjectType, property: PropertyDefinition | undefined): RecordColumn {
  return {
    label: 'Record ID',
    ...(property === undefined ? {} : { property }),
    className: 'id',
    cell: ({ id, archivedAt }) =>
      html`<a href="/records/${type}/${id}">${id}</a>${archivedAt !== null && html` <span class="badge">archived</span>`}`,
  }
}

function propertyColumn(property: PropertyDefinition): RecordColumn {
  const classes: Readonly<Record<string, string>> = {
    number: 'number',
    datetime: 'time',
    string: 'text',
  }
  const isLong = property.fieldType === 'textarea' || property.fieldType === 'html'
  return {
    label: property.label,
    property,
    className: property.type === 'string' && !isLong ? '' : (classes[property.type] ?? ''),
    cell: ({ properties }) => readable(property, properties[property.name]),
  }
}

function ownerColumn(state: PortalState, property: PropertyDefinition | undefined): RecordColumn {
  return {
    label: 'Owner',
    ...(property === undefined ? {} : { property }),
    className: '',
    cell: ({ properties }) => ownerName(state, properties['hubspot_owner_id']),
  }
}

/** The name of an owner, or the bare id of one who does not exist. */
export function ownerName(state: PortalState, id: string | undefined): string {
  const owner = id === undefined ? undefined : state.owners.get(id)
  return owner === undefined
    ? (id ?? '')
    : `${owner.firstName} ${owner.lastName}`.trim() || owner.email
}

function neighbourColumn(state: PortalState, type: ObjectType, other: ObjectType): RecordColumn {
  return {
    label: OBJECT_TYPES[other].plural,
    className: '',
    cell: ({ id }) => {
      const found = state.associations.neighbours({ type, id }, other)
      const links = found.slice(0, 3).map((end) => html`${recordLink(state, other, end.id)}<br>`)
      const more = found.length - links.length
      return html`${links}${more > 0 && html`<span class="soft">and ${more} more</span>`}`
    },
  }
}
