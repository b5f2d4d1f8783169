import type { SchemaChange } from '../../infra/postgres/schema-store.ts'

/** A change of what a vendor sends, as cells of a table. */
export function describeChange(change: SchemaChange): string[] {
  const { source, kind, name, day, detail, mapped } = change
  const what = {
    new: `new since ${day}${detail ? `: ${detail}` : ''}`,
    retyped: `other values since ${day}: ${detail}`,
    vanished: `not seen after ${day}`,
  }[change.change]
  return [source, kind, name, what, mapped ? 'usage.yaml looks at it' : '']
}
