import type { FieldDefinition, Value } from '../field-definition.ts'
import { keyOf, type ObjectTable } from '../object-table.ts'
import type { OrgState } from '../org-state.ts'
import { badRequest } from '../salesforce-error.ts'
import type { StoredRow } from '../stored-row.ts'
import type { Comparison, Condition } from './condition.ts'
import { type FieldPath, findPath } from './field-path.ts'
import { likePattern, type Meaning, readLiteral, unquoted } from './literal.ts'

export type RowTest = (row: StoredRow) => boolean

/** What a comparison looks for, read against its field. */
export interface ReadComparison {
  readonly path: FieldPath
  readonly operator: string
  /** For `=`, `!=`, `IN` and `NOT IN`: the values themselves. */
  readonly values: readonly Value[]
  readonly test: RowTest
}

/** What a condition needs from outside: the org, the queried object, and how a subquery is answered. */
export interface MatchContext {
  readonly state: OrgState
  readonly table: ObjectTable
  /** The values of a semi-join's only field. */
  readonly ask: (comparison: Comparison) => readonly Value[]
  /** Comparisons that were read already. */
  readonly known: Map<Comparison, ReadComparison>
}

export function compileCondition(condition: Condition, context: MatchContext): RowTest {
  switch (condition.kind) {
    case 'compare':
      return readComparison(condition, context).test
    case 'not': {
      const test = compileCondition(condition.part, context)
      return (row) => !test(row)
    }
    case 'and': {
      const tests = condition.parts.map((part) => compileCondition(part, context))
      return (row) => tests.every((test) => test(row))
    }
    case 'or': {
      const tests = condition.parts.map((part) => compileCondition(part, context))
      return (row) => tests.some((test) => test(row))
    }
  }
}

/** @throws {SalesforceError} for a field that is not there or cannot be filtered by. */
export function readComparison(comparison: Comparison, context: MatchContext): ReadComparison {
  const known = context.known.get(comparison)
  if (known !== undefined) return known
  const read = readFresh(comparison, context)
  context.known.set(comparison, read)
  return read
}

function readFresh(comparison: Comparison, context: MatchContext): ReadComparison {
  const { state, table } = context
  const path = findPath(state, table, comparison.path)
  const { field } = path
  if (!field.filterable) {
    throw badRequest('INVALID_FIELD', `field '${field.name}' can not be filtered in a query call`)
  }
  const { operator, literals } = comparison
  if (operator === 'LIKE') {
    const pattern = likePattern(literals[0]?.text ?? "''")
    return { path, operator, values: [], test: (row) => isLike(pattern, path.read(row)) }
  }
  if (operator === 'INCLUDES' || operator === 'EXCLUDES') {
    const wanted = literals.map(({ text }) => unquoted(text).split(';'))
    const test = includesTest(path, wanted, operator === 'INCLUDES')
    return { path, operator, values: [], test }
  }
  const now = state.now()
  const meanings: readonly Meaning[] =
    comparison.subquery === null
      ? literals.map((literal) => readLiteral(field, literal, now))
      : context.ask(comparison).map((value) => ({ kind: 'value', value }))
  const values = meanings.flatMap((meaning) => (meaning.kind === 'value' ? [meaning.value] : []))
  return { path, operator, values, test: testOf(path, operator, meanings) }
}

function testOf(path: FieldPath, operator: string, meanings: readonly Meaning[]): RowTest {
  if (operator === '=' || operator === 'IN') return equalTest(path, meanings)
  if (operator === '!=' || operator === '<>' || operator === 'NOT IN') {
    const isEqual = equalTest(path, meanings)
    return (row) => !isEqual(row)
  }
  const [meaning] = meanings
  if (meaning === undefined) return () => false
  const low = meaning.kind === 'span' ? meaning.from : meaning.value
  const high = meaning.kind === 'span' ? meaning.until : meaning.value
  const isSpan = meaning.kind === 'span'
  return (row) => {
    const value = path.read(row)
    if (value === null || low === null) return false
    switch (operator) {
      case '<':
        return compare(path.field, value, low) < 0
      case '<=':
        return compare(path.field, value, high) < (isSpan ? 0 : 1)
      case '>':
        return compare(path.field, value, high) >= (isSpan ? 0 : 1)
      default:
        return compare(path.field, value, low) >= 0
    }
  }
}

function equalTest(path: FieldPath, meanings: readonly Meaning[]): RowTest {
  const { field } = path
  const keys = new Set<string>()
  const spans: { from: Value; until: Value }[] = []
  let hasNull = false
  for (const meaning of meanings) {
    if (meaning.kind === 'span') spans.push(meaning)
    else if (meaning.value === null || meaning.value === '') hasNull = true
    else keys.add(keyOf(field, meaning.value))
  }
  return (row) => {
    const value = path.read(row)
    if (value === null) return hasNull
    if (keys.has(keyOf(field, value))) return true
    return spans.some(
      ({ from, until }) => compare(field, value, from) >= 0 && compare(field, value, until) < 0,
    )
  }
}

/** Texts compare in any case, unless the field minds. */
export function compare(field: FieldDefinition, a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const left = keyOf(field, a)
  const right = keyOf(field, b)
  if (left === right) return 0
  return left < right ? -1 : 1
}

function isLike(pattern: RegExp, value: Value): boolean {
  return value !== null && pattern.test(String(value))
}

function includesTest(
  path: FieldPath,
  wanted: readonly (readonly string[])[],
  isIncluded: boolean,
): RowTest {
  return (row) => {
    const value = path.read(row)
    if (value === null) return !isIncluded
    const chosen = String(value).split(';')
    return wanted.some((all) => all.every((one) => chosen.includes(one))) === isIncluded
  }
}
