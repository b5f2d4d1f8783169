import { sql } from 'kysely'
import type { Db } from './database.ts'

/** What somebody should be told of. */
export type NoticeKind = 'schedule-missed'

export interface Notice {
  readonly id: number
  readonly kind: string
  readonly source: string
  readonly at: Date
  /** Null while it lasts. */
  readonly endedAt: Date | null
  readonly details: unknown
}

const KEPT_DAYS = 90

/** Notes that something began, once until it ends, however many processes see it. */
export async function beginNotice(
  db: Db,
  kind: NoticeKind,
  source: string,
  details: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db
    .insertInto('notice')
    .values({ kind, source, details: JSON.stringify(details) })
    .onConflict((c) => c.columns(['kind', 'source']).where('ended_at', 'is', null).doNothing())
    .execute()
}

/** Notes that it is over; forgets what was over long ago. */
export async function endNotice(db: Db, kind: NoticeKind, source: string): Promise<void> {
  const ended = await sql`update notice set ended_at = now()
    where kind = ${kind} and source = ${source} and ended_at is null`.execute(db)
  if (!ended.numAffectedRows) return
  await sql`delete from notice where ended_at < now() - ${KEPT_DAYS} * interval '1 day'`.execute(db)
}

/** What lasts, and what ended within the last week, newest first. */
export async function readNotices(db: Db): Promise<readonly Notice[]> {
  return db
    .selectFrom('notice')
    .select(['id', 'kind', 'source', 'at', 'ended_at as endedAt', 'details'])
    .where((e) =>
      e.or([e('ended_at', 'is', null), sql<boolean>`ended_at > now() - interval '7 days'`]),
    )
    .orderBy('at', 'desc')
    .execute()
}
