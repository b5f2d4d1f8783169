import { sql } from 'kysely'
import type { RowTrait } from '../../core/mapping/trait-row.ts'
import type { Tx } from './database.ts'
import { touchAbout } from './trait-subjects.ts'

/** Two lines of a file that say two things of one subject at one time. */
export interface Conflict {
  readonly name: string
  readonly first: number
  readonly second: number
}

/** What a load changed. */
export interface Loaded {
  /** Values that are new, and values that the file says no longer. */
  readonly begun: number
  readonly ended: number
  /** People and companies that the file speaks of and that are known, and that are not yet. */
  readonly known: number
  readonly unknown: number
}

/**
 * Opens a place for what a file says, until the end of the transaction. Nobody else loads a file or is
 * forgotten meanwhile: who was forgotten must be read after this.
 */
export async function beginLoad(tx: Tx): Promise<void> {
  await lockTraits(tx)
  await sql`create temp table loaded (line bigint not null, about text not null, name text not null,
    value text not null, told_at timestamptz) on commit drop`.execute(tx)
}

/** Waits until nobody loads a file, and keeps others from it until the end of the transaction. */
export async function lockTraits(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('traits'))`.execute(tx)
}

/** Adds some of what a file says. */
export async function addLoaded(tx: Tx, traits: readonly RowTrait[]): Promise<void> {
  await sql`insert into loaded (line, about, name, value, told_at)
    select line, about, name, value, to_timestamp("toldAt" / 1000.0)
    from jsonb_to_recordset(${JSON.stringify(traits)}::jsonb) as n(line bigint, about text, name text,
      value text, "toldAt" numeric)`.execute(tx)
}

/** The first lines that say different things of one subject at one time. */
export async function findConflicts(tx: Tx): Promise<readonly Conflict[]> {
  const { rows } = await sql<Conflict>`
    select name, min(line) as first, min(line) filter (where value <> first_value) as second from (
      select *, first_value(value) over (partition by about, name, told_at order by line)
        as first_value from loaded) l
    group by about, name, told_at having count(distinct value) > 1
    order by 3 limit 3`.execute(tx)
  return rows
}

/**
 * Makes everything that `origin` says be what was loaded. What it said before and says no longer ends
 * now; what it says still is left alone. Marks whom the changes are about for scoring.
 */
export async function finishLoad(tx: Tx, origin: string, at: Date): Promise<Loaded> {
  await sql`analyze loaded`.execute(tx)
  // Without dates it is so since it was first loaded.
  const same = sql`l.about = t.about and l.name = t.name and l.value = t.value
    and (l.told_at is null or l.told_at = t.told_at)`
  const ended = await sql<{ about: string }>`update trait t set ended_at = ${at}
    where origin = ${origin} and ended_at is null
      and not exists (select from loaded l where ${same})
    returning about`.execute(tx)
  const begun = await sql<{ about: string }>`
    insert into trait (about, origin, name, value, told_at, recorded_at)
    select distinct l.about, ${origin}, l.name, l.value, coalesce(l.told_at, ${at}), ${at}::timestamptz
    from loaded l where not exists (select from trait t
      where t.origin = ${origin} and t.ended_at is null and ${same})
    returning about`.execute(tx)
  await touchAbout(tx, [...new Set([...ended.rows, ...begun.rows].map((row) => row.about))])
  const { rows } = await sql<{ known: number; all: number }>`
    select count(*) as all, count(*) filter (where
        exists (select from identity_node n where n.node = l.about)
        or exists (select from account a where l.about = 'domain:' || a.domain)) as known
    from (select distinct about from loaded) l`.execute(tx)
  const { known, all } = rows[0] ?? { known: 0, all: 0 }
  return { begun: begun.rows.length, ended: ended.rows.length, known, unknown: all - known }
}
