import type { SqlQuery } from '../../src/core/ports/usage-source.ts'
import type { StagedEvent } from '../../src/core/ports/usage-stream.ts'

/** Instants as DuckDB reads a TIMESTAMP. */
const wire = (at: Date): string => at.toISOString().replace('Z', '')

/**
 * Staged events as rows `received_at TIMESTAMP, body JSON` to select from; both are null for what DuckDB
 * does not take for JSON.
 */
export function stagedRows(events: readonly StagedEvent[]): SqlQuery {
  return {
    params: {
      bodies: events.map(({ body }) => body),
      received: events.map(({ receivedAt }) => wire(receivedAt)),
    },
    sql: `select case when body is not null then received_at end as received_at, body from (
      select unnest($received::varchar[])::timestamp as received_at,
        try_cast(unnest($bodies::varchar[]) as json) as body)`,
  }
}
