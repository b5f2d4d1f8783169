import { invalid } from './hubspot-error.ts'

/** The object types this stand-in keeps, by their plural names. */
export type ObjectType =
  | 'contacts'
  | 'companies'
  | 'deals'
  | 'tasks'
  | 'calls'
  | 'emails'
  | 'meetings'
  | 'notes'

interface ObjectTypeFacts {
  readonly singular: string
  /** As a heading. */
  readonly plural: string
  readonly typeId: string
  readonly aliases: readonly string[]
  /** Ids of different objects never overlap here, so that a mix-up shows. */
  readonly firstId: number
  readonly createdProperty: string
  readonly modifiedProperty: string
  /** What HubSpot answers when a read names no properties. */
  readonly defaultProperties: readonly string[]
  readonly searchedByQuery: readonly string[]
}

export const OBJECT_TYPES: Readonly<Record<ObjectType, ObjectTypeFacts>> = {
  contacts: {
    singular: 'contact',
    plural: 'Contacts',
    typeId: '0-1',
    aliases: ['contacts', 'contact', '0-1'],
    firstId: 1_000_001,
    createdProperty: 'createdate',
    modifiedProperty: 'lastmodifieddate',
    defaultProperties: ['email', 'firstname', 'lastname'],
    searchedByQuery: ['email', 'firstname', 'lastname', 'phone', 'company', 'hs_additional_emails'],
  },
  companies: {
    singular: 'company',
    plural: 'Companies',
    typeId: '0-2',
    aliases: ['companies', 'company', '0-2'],
    firstId: 9_000_000_001,
    createdProperty: 'createdate',
    modifiedProperty: 'hs_lastmodifieddate',
    defaultProperties: ['domain', 'name'],
    searchedByQuery: ['name', 'domain', 'website', 'phone'],
  },
  deals: {
    singular: 'deal',
    plural: 'Deals',
    typeId: '0-3',
    aliases: ['deals', 'deal', '0-3'],
    firstId: 20_000_000_001,
    createdProperty: 'createdate',
    modifiedProperty: 'hs_lastmodifieddate',
    defaultProperties: ['dealname', 'amount', 'dealstage', 'pipeline', 'closedate'],
    searchedByQuery: ['dealname'],
  },
  tasks: {
    singular: 'task',
    plural: 'Tasks',
    typeId: '0-27',
    aliases: ['tasks', 'task', '0-27'],
    firstId: 40_000_000_001,
    createdProperty: 'hs_createdate',
    modifiedProperty: 'hs_lastmodifieddate',
    defaultProperties: [],
    searchedByQuery: ['hs_task_subject', 'hs_task_body'],
  },
  calls: activity('call', 'Calls', '0-48', 50_000_000_001, ['hs_call_title', 'hs_call_body']),
  emails: activity('email', 'E-mails', '0-49', 60_000_000_001, ['hs_email_subject']),
  meetings: activity('meeting', 'Meetings', '0-47', 70_000_000_001, ['hs_meeting_title']),
  notes: activity('note', 'Notes', '0-46', 80_000_000_001, ['hs_note_body']),
}

/** What was said or done with a record, as people log it. */
function activity(
  singular: string,
  plural: string,
  typeId: string,
  firstId: number,
  searchedByQuery: readonly string[],
): ObjectTypeFacts {
  return {
    ...{ singular, plural, typeId, firstId, searchedByQuery },
    aliases: [`${singular}s`, singular, typeId],
    createdProperty: 'hs_createdate',
    modifiedProperty: 'hs_lastmodifieddate',
    defaultProperties: [],
  }
}

/** Objects whose unknown and read-only properties are ignored instead of refused. */
export function ignoresUnknown(type: ObjectType): boolean {
  return type === 'tasks' || isActivity(type)
}

/** Logged by people: calls, e-mails, meetings and notes. */
export function isActivity(type: ObjectType): boolean {
  return ['calls', 'emails', 'meetings', 'notes'].includes(type)
}

export const OBJECT_TYPE_NAMES = Object.keys(OBJECT_TYPES) as ObjectType[]

const byAlias = new Map<string, ObjectType>(
  OBJECT_TYPE_NAMES.flatMap((type) =>
    OBJECT_TYPES[type].aliases.map((alias): [string, ObjectType] => [alias, type]),
  ),
)

/** Reads `contacts`, `CONTACT` or `0-1`. */
export function readObjectType(name: string | undefined): ObjectType {
  const type = byAlias.get((name ?? '').toLowerCase())
  if (type === undefined) throw invalid(`Unable to infer object type from: ${name ?? ''}`)
  return type
}

/** One kind of association that HubSpot defines, told from one side. */
export interface AssociationKind {
  readonly from: ObjectType
  readonly to: ObjectType
  readonly typeId: number
  readonly reverseTypeId: number
  readonly label: string | null
}

const pairs: readonly AssociationKind[] = [
  { from: 'contacts', to: 'companies', typeId: 279, reverseTypeId: 280, label: null },
  { from: 'contacts', to: 'companies', typeId: 1, reverseTypeId: 2, label: 'Primary' },
  { from: 'tasks', to: 'contacts', typeId: 204, reverseTypeId: 203, label: null },
  { from: 'tasks', to: 'companies', typeId: 192, reverseTypeId: 191, label: null },
  { from: 'tasks', to: 'deals', typeId: 216, reverseTypeId: 215, label: null },
  { from: 'contacts', to: 'deals', typeId: 4, reverseTypeId: 3, label: null },
  { from: 'companies', to: 'deals', typeId: 342, reverseTypeId: 341, label: null },
  ...activityPairs('calls', [194, 193], [182, 181], [206, 205]),
  ...activityPairs('emails', [198, 197], [186, 185], [210, 209]),
  ...activityPairs('meetings', [200, 199], [188, 187], [212, 211]),
  ...activityPairs('notes', [202, 201], [190, 189], [214, 213]),
]

type TypeIds = readonly [typeId: number, reverseTypeId: number]

function activityPairs(
  from: ObjectType,
  contacts: TypeIds,
  companies: TypeIds,
  deals: TypeIds,
): AssociationKind[] {
  return Object.entries({ contacts, companies, deals }).map(([to, [typeId, reverseTypeId]]) => {
    return { from, to: to as ObjectType, typeId, reverseTypeId, label: null }
  })
}

const kinds: readonly AssociationKind[] = pairs.flatMap((pair) => [
  pair,
  {
    from: pair.to,
    to: pair.from,
    typeId: pair.reverseTypeId,
    reverseTypeId: pair.typeId,
    label: pair.label,
  },
])

/** The association kinds between two objects, the plain one first. */
export function associationKinds(from: ObjectType, to: ObjectType): readonly AssociationKind[] {
  return kinds.filter((kind) => kind.from === from && kind.to === to)
}
