import type { ActionMatch, Condition, UsageMapping } from '../mapping/usage-mapping.ts'
import type { SqlQuery } from '../ports/usage-source.ts'

/** Rows that every profile and day gets besides the mapped actions. */
export const ANY_ACTION = '$any'
export const CORE_ACTION = '$core'

type Params = Record<string, string | number | readonly string[]>

/**
 * The DuckDB select from canonical events to daily rollup rows: one row for each source, profile,
 * action and event day. Reads the table `event_day` (`profile, name, event_properties, noise, day, count, first_at, last_at`)
 * and yields `profile, action, day, count, first_at, last_at`. Values of the mapping are parameters.
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
  for (const [action, rules] of Object.entries(mapping.actions)) {
    const matches = rules.from.filter((m) => m.source === undefined || m.source === source)
    if (matches.length === 0) continue
    const condition = matches.map((m) => matchSql(m, bind)).join(' or ')
    branches.push(branch(bind(action), condition))
    if (rules.core) core.push(condition)
  }
  if (core.length > 0) branches.push(branch(bind(CORE_ACTION), core.join(' or ')))
  return { sql: branches.join('\nunion all\n'), params }
}

function branch(action: string, condition: string): string {
  return `select profile, ${action}::varchar as action, day,
  sum(count)::bigint as count, min(first_at) as first_at, max(last_at) as last_at
from event_day where not noise and profile is not null and (${condition}) group by profile, day`
}

/** Vendor events whose properties some action looks at; those of others need not be held. */
export function conditionedEvents(mapping: UsageMapping): string[] {
  const matches = Object.values(mapping.actions).flatMap((action) => action.from)
  return [...new Set(matches.filter((m) => m.where !== undefined).map((m) => m.event))]
}

type Bind = (value: string | number) => string

function matchSql(match: ActionMatch, bind: Bind): string {
  const parts = [`name = ${bind(match.event)}`]
  for (const [property, condition] of Object.entries(match.where ?? {})) {
    parts.push(...conditionSql(bind(`$."${property.replaceAll('"', '')}"`), condition, bind))
  }
  return `(${parts.join(' and ')})`
}

function conditionSql(path: string, condition: Condition, bind: Bind): string[] {
  const text = `json_extract_string(event_properties, ${path})`
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
  return parts
}
