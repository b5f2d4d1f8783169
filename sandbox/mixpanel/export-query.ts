import type { UsageRows } from '../company/usage-rows.ts'

/** A request that can be answered. */
export interface ExportQuery {
  readonly from: string
  readonly to: string
  /** Null for every event. */
  readonly events: ReadonlySet<string> | null
  readonly processedFromMs: number | null
  readonly limit: number
  readonly timeInMs: boolean
}

/** A request that is refused, in Mixpanel's words. */
export interface Refusal {
  readonly error: string
}

const DATE = /^\d{4}-\d{2}-\d{2}$/
const PROCESSED_SINCE = /^number\(properties\["mp_processing_time_ms"\]\)\s*>=\s*(\d+)$/
const LARGEST_LIMIT = 100_000

type Params = Readonly<Record<string, unknown>>

/** Reads the parameters; `today` is the project's day. */
export function readExportQuery(params: Params, today: string): ExportQuery | Refusal {
  const from = dateOf(params['from_date'])
  const to = dateOf(params['to_date'])
  if (from === null) return { error: "Missing or malformed parameter 'from_date'" }
  if (to === null) return { error: "Missing or malformed parameter 'to_date'" }
  if (from > to) return { error: 'from_date cannot be later than to_date' }
  if (to > today) return { error: 'to_date cannot be later than today' }
  const events = eventsOf(params['event'])
  if (events === undefined) return { error: "'event' must be a JSON array of strings" }
  const where = params['where']
  const since = typeof where === 'string' ? PROCESSED_SINCE.exec(where.trim()) : null
  if (where !== undefined && since === null) return { error: 'Unable to parse selector' }
  const limit = params['limit'] === undefined ? Number.POSITIVE_INFINITY : Number(params['limit'])
  if (Number.isFinite(limit) && (!Number.isInteger(limit) || limit < 1 || limit > LARGEST_LIMIT)) {
    return { error: `'limit' must be between 1 and ${LARGEST_LIMIT}` }
  }
  if (Number.isNaN(limit)) return { error: "'limit' must be an integer" }
  return {
    from,
    to,
    events,
    processedFromMs: since === null ? null : Number(since[1]),
    limit,
    timeInMs: params['time_in_ms'] === 'true',
  }
}

function dateOf(value: unknown): string | null {
  if (typeof value !== 'string' || !DATE.test(value)) return null
  const when = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(when.getTime()) && when.toISOString().startsWith(value) ? value : null
}

/** Null for all, undefined for what cannot be read. */
function eventsOf(value: unknown): ReadonlySet<string> | null | undefined {
  if (value === undefined) return null
  try {
    const names: unknown = JSON.parse(String(value))
    const good = Array.isArray(names) && names.every((name) => typeof name === 'string')
    return good ? new Set(names) : undefined
  } catch {
    return undefined
  }
}

interface Row {
  readonly event: string
  readonly properties: Readonly<Record<string, unknown>> & { readonly time: number }
}

/** Yields the text of each day that has rows for the query; every row ends with a line end. */
export function* exportTexts(
  rows: UsageRows,
  days: readonly string[],
  query: ExportQuery,
): Generator<string> {
  let left = query.limit
  for (const day of days) {
    const lines = matching(rows.get(day) ?? [], query).slice(0, left)
    left -= lines.length
    if (lines.length > 0) yield `${lines.join('\n')}\n`
    if (left <= 0) return
  }
}

function matching(lines: readonly string[], query: ExportQuery): readonly string[] {
  const { events, processedFromMs, timeInMs } = query
  if (events === null && processedFromMs === null && !timeInMs) return lines
  return lines.flatMap((line) => {
    const row = JSON.parse(line) as Row
    if (events !== null && !events.has(row.event)) return []
    const processed = Number(row.properties['mp_processing_time_ms'])
    if (processedFromMs !== null && !(processed >= processedFromMs)) return []
    if (!timeInMs) return [line]
    const properties = { ...row.properties, time: row.properties.time * 1000 }
    return [JSON.stringify({ ...row, properties })]
  })
}
