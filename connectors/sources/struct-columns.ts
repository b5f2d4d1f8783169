/** How a field of a struct is read out of JSON. */
export type FieldType = 'VARCHAR' | 'DOUBLE' | 'JSON'

/** A JSON object that is read as a struct of a few of its fields. */
export interface StructColumn {
  /** Its type, as a literal for the `columns` of `read_json`. */
  readonly type: string
  /** A field, as the type that it is wanted as. */
  read(name: string, type: FieldType): string
  /** A field as the text of its JSON. */
  json(name: string): string
}

/**
 * The fields of the JSON column `column` as a struct. A name may be asked for twice.
 * @returns null where two names differ in case only: DuckDB does not tell them apart.
 */
export function structColumns(
  column: string,
  fields: readonly { readonly name: string; readonly type: FieldType }[],
): StructColumn | null {
  const types = new Map<string, FieldType>()
  for (const { name, type } of fields) {
    // What is wanted in two ways is read as JSON, from which the other is taken.
    types.set(name, (types.get(name) ?? type) === type ? type : 'JSON')
  }
  if (new Set([...types.keys()].map((name) => name.toLowerCase())).size < types.size) return null
  const at = (name: string) => `${column}.${identifier(name)}`
  const members = [...types].map(([name, type]) => `${identifier(name)} ${type}`)
  return {
    type: literal(`STRUCT(${members.join(', ')})`),
    read(name, type) {
      if (types.get(name) === type) return at(name)
      const text = `json_extract_string(${at(name)}, '$')`
      return type === 'DOUBLE' ? `try_cast(${text} as double)` : text
    },
    json: at,
  }
}

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
