import type { Value } from '../field-definition.ts'
import { readDateTime } from '../salesforce-time.ts'
import type { StoredRow } from '../stored-row.ts'
import type { Condition } from './condition.ts'
import { type MatchContext, type ReadComparison, readComparison } from './match.ts'

/** Records that may match, found without looking at all of them where the condition allows it. */
export interface Candidates {
  readonly rows: Iterable<StoredRow>
  /** They come in the order of SystemModstamp. */
  readonly byStamp: boolean
}

const INDEXED = new Set(['id', 'reference', 'email', 'string', 'phone', 'url'])

/** The narrowest way to a query's records. */
export function findCandidates(
  condition: Condition | null,
  context: MatchContext,
  wantsStampOrder: boolean,
): Candidates {
  const { table } = context
  const keyed = condition === null ? undefined : keyedRows(condition, context)
  if (keyed !== undefined) return { rows: keyed, byStamp: false }
  const from = condition === null ? undefined : stampFloor(condition, context)
  if (from === undefined && !wantsStampOrder) return { rows: table.rows.values(), byStamp: false }
  return { rows: changedSince(context, from ?? 0), byStamp: true }
}

/** The earliest SystemModstamp that a record can have which meets a condition; undefined for any. */
function stampFloor(condition: Condition, context: MatchContext): number | undefined {
  if (condition.kind === 'not') return undefined
  if (condition.kind === 'compare') {
    const { path, operator, values } = readComparison(condition, context)
    if (path.field.name !== 'SystemModstamp' || path.steps.length > 0) return undefined
    const isFloor = operator === '>' || operator === '>=' || operator === '='
    return isFloor ? readDateTime(String(values[0] ?? '')) : undefined
  }
  const floors = condition.parts.map((part) => stampFloor(part, context))
  const known = floors.filter((floor) => floor !== undefined)
  if (condition.kind === 'and') return known.length === 0 ? undefined : Math.max(...known)
  return known.length === floors.length ? Math.min(...known) : undefined
}

function* changedSince({ table }: MatchContext, from: number): Generator<StoredRow> {
  for (const id of table.modified.between(from)) {
    const row = table.rows.get(id)
    if (row !== undefined) yield row
  }
}

/** The records that an index names, among which all are that meet a condition; undefined where none does. */
function keyedRows(
  condition: Condition,
  context: MatchContext,
): ReadonlySet<StoredRow> | undefined {
  switch (condition.kind) {
    case 'not':
      return undefined
    case 'compare': {
      const read = readComparison(condition, context)
      return isKeyed(read) ? rowsOf(read, context) : undefined
    }
    case 'and': {
      const known = condition.parts.flatMap((part) => keyedRows(part, context) ?? [])
      return known.sort((a, b) => a.size - b.size)[0]
    }
    case 'or': {
      const parts = condition.parts.map((part) => keyedRows(part, context))
      const known = parts.filter((rows) => rows !== undefined)
      if (known.length < parts.length) return undefined
      return new Set(known.flatMap((rows) => [...rows]))
    }
  }
}

function isKeyed({ path, operator, values }: ReadComparison): boolean {
  if (path.steps.length > 0) return false
  if (operator !== '=' && operator !== 'IN') return false
  return INDEXED.has(path.field.type) && values.every((value) => value !== null && value !== '')
}

function rowsOf({ path, values }: ReadComparison, { table }: MatchContext): ReadonlySet<StoredRow> {
  const [only] = values
  if (values.length === 1 && only !== undefined) return table.find(path.field.name, only)
  const rows = new Set<StoredRow>()
  for (const value of values as readonly Value[]) {
    for (const row of table.find(path.field.name, value)) rows.add(row)
  }
  return rows
}
