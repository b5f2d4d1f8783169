import type { Query, WhereClause } from '@jetstreamapp/soql-parser-js'
import { badRequest } from '../salesforce-error.ts'

/** A value as it stands in a query, still in its quotes. */
export interface Literal {
  readonly type: string
  readonly text: string
  /** The number of `LAST_N_DAYS:7`. */
  readonly count: number | null
}

export interface Comparison {
  readonly kind: 'compare'
  readonly path: string
  readonly operator: string
  readonly literals: readonly Literal[]
  /** `IN (SELECT …)`. */
  readonly subquery: Query | null
}

export type Condition =
  | Comparison
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }

type Token = '(' | ')' | 'AND' | 'OR' | 'NOT' | Comparison

/**
 * The tree of a WHERE clause. The parser gives conditions in a row with brackets noted beside them;
 * here they are put into each other.
 */
export function readWhere(where: WhereClause): Condition {
  const tokens = [...tokensOf(where)]
  const reader = { tokens, place: 0 }
  const condition = readChain(reader)
  if (reader.place < tokens.length) throw malformed("unexpected token: ')'")
  return condition
}

interface Reader {
  readonly tokens: readonly Token[]
  place: number
}

/** AND and OR do not mix without brackets. */
function readChain(reader: Reader): Condition {
  const parts = [readUnit(reader)]
  let operator: 'AND' | 'OR' | null = null
  for (;;) {
    const token = reader.tokens[reader.place]
    if (token !== 'AND' && token !== 'OR') break
    if (operator !== null && operator !== token) throw malformed(`unexpected token: '${token}'`)
    operator = token
    reader.place++
    parts.push(readUnit(reader))
  }
  const [only] = parts
  if (operator === null && only !== undefined) return only
  return { kind: operator === 'OR' ? 'or' : 'and', parts }
}

function readUnit(reader: Reader): Condition {
  const token = reader.tokens[reader.place++]
  if (token === 'NOT') return { kind: 'not', part: readUnit(reader) }
  if (token === '(') {
    const inner = readChain(reader)
    if (reader.tokens[reader.place++] !== ')') throw malformed('expecting a right parentheses')
    return inner
  }
  if (token === undefined || typeof token === 'string') throw malformed('unexpected end of WHERE')
  return token
}

interface LooseCondition {
  readonly openParen?: number
  readonly closeParen?: number
  readonly field?: string
  readonly fn?: { readonly rawValue?: string }
  readonly operator?: string
  readonly value?: string | readonly string[]
  readonly literalType?: string | readonly string[]
  readonly dateLiteralVariable?: number | readonly number[]
  readonly valueQuery?: Query
}

function* tokensOf(where: WhereClause): Generator<Token> {
  let rest: WhereClause | undefined = where
  while (rest !== undefined) {
    const left: LooseCondition | null = rest.left
    for (let open = left?.openParen ?? 0; open > 0; open--) yield '('
    if (left?.operator !== undefined) yield comparisonOf(left)
    for (let close = left?.closeParen ?? 0; close > 0; close--) yield ')'
    if (!('operator' in rest)) return
    yield rest.operator
    rest = rest.right
  }
}

function comparisonOf(condition: LooseCondition): Comparison {
  const values = [condition.value ?? []].flat()
  const types = [condition.literalType ?? 'STRING'].flat()
  const counts = [condition.dateLiteralVariable ?? []].flat()
  if (condition.field === undefined) {
    throw malformed(`${condition.fn?.rawValue ?? 'this function'} cannot be filtered by here`)
  }
  return {
    kind: 'compare',
    path: condition.field,
    operator: (condition.operator ?? '=').toUpperCase(),
    literals: values.map((text, place) => ({
      text,
      type: types[place] ?? types[0] ?? 'STRING',
      count: counts[place] ?? null,
    })),
    subquery: condition.valueQuery ?? null,
  }
}

export function malformed(message: string): Error {
  return badRequest('MALFORMED_QUERY', message)
}
