import type { FieldDefinition, Value } from './field-definition.ts'
import type { ObjectTable } from './object-table.ts'
import { fieldValue } from './soql/field-path.ts'
import type { StoredRow } from './stored-row.ts'

/** What stands before the fields of a record in every answer. */
export function attributesOf(row: StoredRow, apiVersion: string): Record<string, string> {
  return {
    type: row.object,
    url: `/services/data/v${apiVersion}/sobjects/${row.object}/${row.id}`,
  }
}

/** A field as answers show it. */
export function showField(row: StoredRow, field: FieldDefinition): unknown {
  return field.type === 'address' ? showAddress(row, field.name) : fieldValue(row, field)
}

/** A record with the given fields, or with every one that the user may see. */
export function viewRow(
  table: ObjectTable,
  row: StoredRow,
  apiVersion: string,
  fields: readonly FieldDefinition[] = [...table.definition.fields.values()],
): Record<string, unknown> {
  const view: Record<string, unknown> = { attributes: attributesOf(row, apiVersion) }
  for (const field of fields) if (field.visible) view[field.name] = showField(row, field)
  return view
}

const PARTS: readonly (readonly [shown: string, part: string])[] = [
  ['city', 'City'],
  ['country', 'Country'],
  ['geocodeAccuracy', 'GeocodeAccuracy'],
  ['latitude', 'Latitude'],
  ['longitude', 'Longitude'],
  ['postalCode', 'PostalCode'],
  ['state', 'State'],
  ['street', 'Street'],
]

function showAddress(row: StoredRow, name: string): Record<string, Value> | null {
  const prefix = name.replace(/Address$/, '')
  const shown = PARTS.map(([key, part]): [string, Value] => [
    key,
    row.values[prefix + part] ?? null,
  ])
  return shown.some(([, value]) => value !== null) ? Object.fromEntries(shown) : null
}
