import { sql } from 'kysely'
import { beginNotice, endNotice } from '../src/infra/postgres/notices.ts'
import type { JobContext } from './context.ts'

/**
 * Notes once when no pull of a connected source has succeeded for too long, and again when one has. A
 * download that was stored counts as success, so that a backfill of many hours is no missed schedule.
 */
export async function noteMissedPulls(
  { db, sources, pullOverdueMs }: JobContext,
  startedAt: Date,
): Promise<void> {
  for (const [source, { online }] of sources) {
    if (!online) {
      await endNotice(db, 'schedule-missed', source)
      continue
    }
    const { rows } = await sql<{ last: Date | null; begun: Date | null; isOverdue: boolean }>`
      select last, begun, coalesce(last, begun, ${startedAt}::timestamptz)
          < now() - ${pullOverdueMs} * interval '1 millisecond' as "isOverdue"
      from (select
        greatest((select max(finished_at) from run
            where step = 'pull' and key = ${source} and outcome = 'done'),
          (select max(pulled_at) from source_window where source = ${source})) as last,
        (select min(started_at) from run where step = 'pull' and key = ${source}) as begun) t`.execute(
      db,
    )
    const [state] = rows
    if (state?.isOverdue) {
      const lastSuccess = state.last?.toISOString() ?? null
      await beginNotice(db, 'schedule-missed', source, { lastSuccess })
    } else {
      await endNotice(db, 'schedule-missed', source)
    }
  }
}
