import type { ActionMatch, ActionValue, Condition, UsageMapping } from '../mapping/usage-mapping.ts'
import type { SqlQuery } from '../ports/usage-source.ts'

/** Rows that every profile and day gets besides the mapped actions. */
export const ANY_ACTION = '$any'
export const CORE_ACTION = '$core'

/** Most distinct values that one row keeps; there may be more when it has so many. */
export const MOST_DISTINCT = 200
/** Longer text counts by its beginning. */
const TEXT_LENGTH = 200

/**
 * What a row keeps of an action's value, by column and type; null where the plan keeps none. Decimals
 * add up to the same sum in any order.
 */
export const VALUE_COLUMNS = {
  value_sum: 'decimal(38,6)',
  value_max: 'decimal(24,6)',
  value_last: 'decimal(24,6)',
  value_last_at: 'timestamp',
  value_distinct: 'varchar[]',
  value_capped: 'boolean',
} as const

type Params = Record<string, string | number | readonly string[]>

/** What of the tracking plan makes rollups what they are: when it is equal, so are they. */
export function rollupRules({ actions, ignore }: UsageMapping): unknown {
  const rules = Object.entries(actions).map(([name, { core, from, value }]) => [
    name,
    { core, from, value: value ?? null },
  ])
  return { ignore, actions: Object.fromEntries(rules) }
}

/**
 * The DuckDB select from canonical events to daily rollup rows: one row for each source, profile,
 * action and event day. Reads the table `event_day` (`profile, name, event_properties, noise, day, count, first_at, last_at`),
 * which has one row for each profile, name, day and, of `conditionedEvents`, properties,
 * and yields `profile, action, day, count, first_at, last_at` and `VALUE_COLUMNS`. Values of the mapping
 * are parameters.
 */
export function rollupSql(mapping: UsageMapping, source: string): SqlQuery {
  const params: Params = {}
  const bind = (value: string | number): string => {
    const name = `p${Object.keys(params).length}`
    params[name] = value
    return `$${name}`
  }
  const branches: string[] = [branch(bind(ANY_ACTION), 'true')]
  const core: string[] = []
  const conditioned = new Set(conditionedEvents(mapping))
  for (const [action, rules] of Object.entries(mapping.actions)) {
    const matches = rules.from.filter((m) => m.source === undefined || m.source === source)
    if (matches.length === 0) continue
    const condition = matches.map((m) => matchSql(m, bind)).join(' or ')
    const [event, ...others] = new Set(matches.map((m) => m.event))
    // Of an event whose properties nobody looks at, `event_day` has such rows already.
    const isGrouped = event !== undefined && others.length === 0 && !conditioned.has(event)
    const values = valueSql(rules.value, bind)
    branches.push(
      isGrouped ? copied(bind(action), condition) : branch(bind(action), condition, values),
    )
    if (rules.core) core.push(condition)
  }
  if (core.length > 0) branches.push(branch(bind(CORE_ACTION), core.join(' or ')))
  return { sql: branches.join('\nunion all\n'), params }
}

type ValueColumns = Partial<Record<keyof typeof VALUE_COLUMNS, string>>

const valueColumns = (values: ValueColumns): string =>
  Object.entries(VALUE_COLUMNS)
    .map(([name, type]) => `(${values[name as keyof ValueColumns] ?? 'null'})::${type} as ${name}`)
    .join(', ')

const from = (condition: string): string =>
  `from event_day where not noise and profile is not null and (${condition})`

function branch(action: string, condition: string, values: ValueColumns = {}): string {
  return `select profile, ${action}::varchar as action, day,
  sum(count)::bigint as count, min(first_at) as first_at, max(last_at) as last_at,
  ${valueColumns(values)}
${from(condition)} group by profile, day`
}

/** The same where no two rows are of one profile and day. */
const copied = (action: string, condition: string): string =>
  `select profile, ${action}::varchar as action, day, count::bigint as count, first_at, last_at,
  ${valueColumns({})}
${from(condition)}`

/** One row of `event_day` stands for `count` events with the same value. */
function valueSql(value: ActionValue | undefined, bind: Bind): ValueColumns {
  if (!value) return {}
  const text = textSql(bind(pathOf(value.of.slice('event.'.length))))
  const number = `try_cast(${text} as decimal(24,6))`
  const distinct = `list_sort(list(distinct left(${text}, ${TEXT_LENGTH})) filter (where ${text} is not null))`
  const columns: Readonly<Record<ActionValue['keep'][number], ValueColumns>> = {
    sum: { value_sum: `sum(${number} * count::decimal(12,0))` },
    max: { value_max: `max(${number})` },
    // Of two at one instant the greater one is the last, whatever order they came in.
    last: {
      value_last: `struct_extract(max({told: last_at, n: ${number}}) filter (where ${number} is not null), 'n')`,
      value_last_at: `max(last_at) filter (where ${number} is not null)`,
    },
    distinct: {
      value_distinct: `${distinct}[1:${MOST_DISTINCT}]`,
      value_capped: `len(${distinct}) > ${MOST_DISTINCT}`,
    },
  }
  return Object.assign({}, ...value.keep.map((keep) => columns[keep]))
}

/** Vendor events whose properties some action looks at; those of others need not be held. */
export function conditionedEvents(mapping: UsageMapping): string[] {
  const matches = Object.values(mapping.actions).flatMap(({ from, value }) =>
    value ? from : from.filter((m) => m.where !== undefined),
  )
  return [...new Set(matches.map((m) => m.event))]
}

type Bind = (value: string | number) => string

const pathOf = (property: string): string => `$."${property.replaceAll('"', '')}"`
const textSql = (path: string): string => `json_extract_string(event_properties, ${path})`

function matchSql(match: ActionMatch, bind: Bind): string {
  const parts = [`name = ${bind(match.event)}`]
  for (const [property, condition] of Object.entries(match.where ?? {})) {
    parts.push(...conditionSql(bind(pathOf(property)), condition, bind))
  }
  return `(${parts.join(' and ')})`
}

function conditionSql(path: string, condition: Condition, bind: Bind): string[] {
  const text = textSql(path)
  const number = `try_cast(${text} as double)`
  const parts: string[] = []
  if (condition.equals !== undefined) parts.push(`${text} = ${bind(String(condition.equals))}`)
  if (condition.in)
    parts.push(`${text} in (${condition.in.map((v) => bind(String(v))).join(', ')})`)
  if (condition.gte !== undefined) parts.push(`${number} >= ${bind(condition.gte)}`)
  if (condition.lte !== undefined) parts.push(`${number} <= ${bind(condition.lte)}`)
  if (condition.exists !== undefined) {
    parts.push(`${text} is ${condition.exists ? 'not ' : ''}null`)
  }
  if (condition.matches !== undefined) {
    parts.push(`regexp_matches(${text}, ${bind(condition.matches)})`)
  }
  return parts
}
