import { invalid } from './hubspot-error.ts'

/** The object types this stand-in keeps, by their plural names. */
export type ObjectType = 'contacts' | 'companies' | 'deals' | 'tasks'

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
]

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
