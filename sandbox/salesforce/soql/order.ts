import type { FieldDefinition, Value } from '../field-definition.ts'
import { compare } from './match.ts'

/** Which of two values an ORDER BY puts first; empty ones come first unless the query says otherwise. */
export function compareValues(
  field: FieldDefinition,
  a: Value,
  b: Value,
  { descending, nullsLast }: { readonly descending: boolean; readonly nullsLast: boolean },
): number {
  if (a === null || b === null) {
    if (a === b) return 0
    return (a === null) === nullsLast ? 1 : -1
  }
  return descending ? compare(field, b, a) : compare(field, a, b)
}
