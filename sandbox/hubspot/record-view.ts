import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { StoredRecord } from './stored-record.ts'

/** Which properties an answer shows. */
export interface ViewRequest {
  /** Asked for by name; unset ones are shown as null. */
  readonly properties?: readonly string[]
  readonly withHistory?: readonly string[]
}

/** A record as the objects endpoints show it. */
export function viewRecord(
  type: ObjectType,
  record: StoredRecord,
  request: ViewRequest = {},
  from: Readonly<Record<string, string>> = record.properties,
): Record<string, unknown> {
  const { createdProperty, modifiedProperty, defaultProperties } = OBJECT_TYPES[type]
  const asked = request.properties ?? []
  const names = asked.length > 0 ? asked : defaultProperties
  const shown = [...names, createdProperty, modifiedProperty, 'hs_object_id']
  const properties: Record<string, string | null> = {}
  for (const name of [...new Set(shown)].sort()) properties[name] = from[name] ?? null
  return { ...envelope(record, properties), ...historyView(record, request.withHistory) }
}

/** A record as a write answers it: what was written and what HubSpot derives, never null. */
export function viewWritten(
  type: ObjectType,
  record: StoredRecord,
  written: readonly string[],
): Record<string, unknown> {
  const { createdProperty, modifiedProperty } = OBJECT_TYPES[type]
  const names = new Set([...written, createdProperty, modifiedProperty, 'hs_object_id'])
  const properties: Record<string, string> = {}
  for (const name of [...names].sort()) {
    const value = record.properties[name]
    if (value !== undefined) properties[name] = value
  }
  return envelope(record, properties)
}

function envelope(
  record: StoredRecord,
  properties: Readonly<Record<string, string | null>>,
): Record<string, unknown> {
  const { archivedAt } = record
  return {
    id: record.id,
    properties,
    createdAt: new Date(record.createdAt).toISOString(),
    updatedAt: new Date(record.updatedAt).toISOString(),
    archived: archivedAt !== null,
    ...(archivedAt === null ? {} : { archivedAt: new Date(archivedAt).toISOString() }),
  }
}

function historyView(
  record: StoredRecord,
  names: readonly string[] | undefined,
): Record<string, unknown> {
  if (names === undefined || names.length === 0) return {}
  const propertiesWithHistory = Object.fromEntries(
    names.map((name) => [
      name,
      [...(record.history[name] ?? [])].reverse().map(({ at, to, source }) => ({
        value: to,
        timestamp: new Date(at).toISOString(),
        sourceType: /^\d+$/.test(source) ? 'INTEGRATION' : source,
        ...(/^\d+$/.test(source) ? { sourceId: source } : {}),
      })),
    ]),
  )
  return { propertiesWithHistory }
}
