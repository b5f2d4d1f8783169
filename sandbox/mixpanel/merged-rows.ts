import type { UsageRows } from '../company/usage-rows.ts'

interface Row {
  readonly properties: Readonly<Record<string, unknown>>
}

/**
 * Rows as an export shows them after merges: under the id that stands for the person now, with the one
 * before beside it.
 */
export function mergedRows(rows: UsageRows, merges: ReadonlyMap<string, string>): UsageRows {
  if (merges.size === 0) return rows
  return {
    keys: () => rows.keys(),
    get: (key) => rows.get(key)?.map((line) => merged(line, merges)),
  }
}

function merged(line: string, merges: ReadonlyMap<string, string>): string {
  const row = JSON.parse(line) as Row
  const before = row.properties['distinct_id']
  const now = typeof before === 'string' ? merges.get(before) : undefined
  if (now === undefined) return line
  const properties = {
    ...row.properties,
    distinct_id: now,
    $distinct_id_before_identity: before,
  }
  return JSON.stringify({ ...row, properties })
}
