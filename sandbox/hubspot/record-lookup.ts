import { type HubspotError, invalid, notFound, PORTAL_ID } from './hubspot-error.ts'
import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { StoredRecord } from './stored-record.ts'

/** A record by its id or by a unique property, as the single endpoints look it up. */
export function findOne(
  state: PortalState,
  type: ObjectType,
  id: string,
  idProperty: string | null,
): StoredRecord | undefined {
  if (idProperty === null || idProperty === 'hs_object_id') return state.table(type).resolve(id)
  return findByUnique(state, type, id, requireUnique(state, type, idProperty, true))
}

/** Refuses a property that does not identify a record. */
export function requireUnique(
  state: PortalState,
  type: ObjectType,
  property: string,
  orEmail: boolean,
): string {
  const isEmail = orEmail && type === 'contacts' && property === 'email'
  if (isEmail || state.properties(type).get(property)?.hasUniqueValue) return property
  throw invalid(
    `Unable to perform update/upsert by non-unique ${OBJECT_TYPES[type].typeId} property ${property} in portal ID ${PORTAL_ID}`,
  )
}

export function findByUnique(
  state: PortalState,
  type: ObjectType,
  value: string,
  property: string,
): StoredRecord | undefined {
  const table = state.table(type)
  if (type === 'contacts' && property === 'email') return table.byEmail(value)
  return table
    .byValue(property, value)
    .map((id) => table.live(id))
    .find((record) => record?.properties[property] === value)
}

/** How a batch tells which ids it did not find. */
export function missingObjects(type: ObjectType, ids: readonly string[]): Record<string, unknown> {
  const name = OBJECT_TYPES[type].singular.toUpperCase()
  return notFound(
    `Could not get some ${name} objects, they may be deleted or not exist. Check that ids are valid.`,
  ).toEntry({ ids })
}

/** Two inputs of a batch may not name the same record. */
export function refuseRepeated(keys: readonly string[]): void {
  if (new Set(keys).size === keys.length) return
  const repeated = keys.filter((key, index) => keys.indexOf(key) !== index)
  throw repeatedInputs([...new Set(repeated)].map((key) => key.slice(key.indexOf('\n') + 1)))
}

/** The refusal of a batch in which two inputs come down to one record. */
export function repeatedInputs(ids: readonly string[]): HubspotError {
  return invalid(`Duplicate IDs found in batch input: [${ids.join(', ')}]. IDs must be unique`)
}
