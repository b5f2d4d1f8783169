import { sql } from 'kysely'
import type { NameChange, SeenName } from '../../core/usage/schema-drift.ts'
import type { SeenInBatch } from '../lake/seen-names.ts'
import type { Db, Tx } from './database.ts'

/** A change of what a vendor sends that lasts. */
export interface SchemaChange extends NameChange {
  readonly source: string
  /** Whether the tracking plan looks at it. */
  readonly mapped: boolean
  readonly noticedAt: Date
}

/** Days that are remembered of a name; names of a source; how long what is over is kept. */
const MOST_DAYS = 40
const MOST_NAMES = 5_000
const KEPT_DAYS = 400
/** What changed earlier is no news: a backfill meets it. */
const NEWS_DAYS = 30
const MOST_TOLD = 200

/** Adds what was seen of a source. */
export async function addSeen(db: Db, source: string, seen: readonly SeenInBatch[]): Promise<void> {
  await sql`insert into schema_seen as s (source, kind, name, type, first_day, days)
    select ${source}, n.kind, n.name, n.type, (select min(d) from unnest(n.days) d), n.days
    from jsonb_to_recordset(${JSON.stringify(seen)}::jsonb)
      as n (kind text, name text, type text, days date[])
    where (select count(*) from schema_seen k where k.source = ${source}) < ${MOST_NAMES}
      or exists (select from schema_seen k where (k.source, k.kind, k.name, k.type)
        = (${source}, n.kind, n.name, n.type))
    order by n.kind, n.name, n.type
    on conflict (source, kind, name, type) do update
      set first_day = least(s.first_day, excluded.first_day),
        days = array(select distinct d from unnest(s.days || excluded.days) d
          order by d desc limit ${MOST_DAYS})`.execute(db)
}

export async function readSeen(db: Db | Tx, source: string): Promise<readonly SeenName[]> {
  const rows = await db
    .selectFrom('schema_seen')
    .select([
      'kind',
      'name',
      'type',
      'first_day as firstDay',
      sql<string[]>`array(select d::text
      from unnest(days) d order by d desc)`.as('days'),
    ])
    .where('source', '=', source)
    .execute()
  return rows
}

/**
 * Notes the changes of a source that are news, and that those which are no longer true are over; forgets
 * what is old.
 */
export async function storeChanges(
  db: Db,
  source: string,
  changes: readonly (NameChange & { readonly mapped: boolean })[],
): Promise<void> {
  await db.transaction().execute(async (tx) => {
    const given = sql`jsonb_to_recordset(${JSON.stringify(changes)}::jsonb)
      as n (kind text, name text, change text, day date, mapped boolean, detail text)`
    await sql`insert into schema_change (source, kind, name, change, day, mapped, detail)
      select ${source}, n.kind, n.name, n.change, n.day, n.mapped, n.detail from ${given}
      where n.day > (select max(d) from schema_seen, unnest(days) d where source = ${source})
        - ${NEWS_DAYS}::int
      on conflict (source, kind, name, change, day) do update
        set mapped = excluded.mapped, detail = excluded.detail, ended_at = null`.execute(tx)
    await sql`update schema_change c set ended_at = now()
      where source = ${source} and ended_at is null and not exists (select from ${given}
        where (n.kind, n.name, n.change, n.day) = (c.kind, c.name, c.change, c.day))`.execute(tx)
    await sql`delete from schema_change
      where noticed_at < now() - ${KEPT_DAYS} * interval '1 day'`.execute(tx)
    await sql`delete from schema_seen where source = ${source} and days[1] <
      (select max(days[1]) from schema_seen where source = ${source}) - ${KEPT_DAYS}::int`.execute(
      tx,
    )
  })
}

/** Changes of the last weeks that last, those that the tracking plan looks at first. */
export async function readSchemaChanges(db: Db): Promise<readonly SchemaChange[]> {
  return db
    .selectFrom('schema_change')
    .select(['source', 'kind', 'name', 'change', 'day', 'mapped', 'detail'])
    .select('noticed_at as noticedAt')
    .where('ended_at', 'is', null)
    .where(sql<boolean>`noticed_at > now() - ${NEWS_DAYS} * interval '1 day'`)
    .orderBy('mapped', 'desc')
    .orderBy(sql`change = 'vanished'`, 'desc')
    .orderBy('day', 'desc')
    .orderBy('source')
    .orderBy('name')
    .limit(MOST_TOLD)
    .execute()
}
