import type { ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { PropertyDefinition } from './property-definition.ts'

const FRESH: Omit<PropertyDefinition, 'name' | 'groupName' | 'createdAt' | 'updatedAt'> = {
  label: 'Defined by hand',
  type: 'string',
  fieldType: 'text',
  description: '',
  options: [],
  displayOrder: -1,
  calculated: false,
  externalOptions: false,
  archived: false,
  hasUniqueValue: false,
  hidden: false,
  modificationMetadata: { archivable: true, readOnlyDefinition: false, readOnlyValue: false },
  formField: false,
}

/** Defines a property, or changes one in whatever way: this is no call, but what people and HubSpot do. */
export function defineProperty(
  state: PortalState,
  object: ObjectType,
  change: Partial<PropertyDefinition> & { readonly name: string },
): void {
  const held = state.properties(object).get(change.name)
  const [group] = state.groups(object).keys()
  const stamp = new Date(0).toISOString()
  const fresh = { ...FRESH, groupName: group ?? '', createdAt: stamp, updatedAt: stamp }
  const definition = { ...fresh, ...held, ...change }
  state.transact(() => state.apply({ op: 'property', object, definition }))
}
