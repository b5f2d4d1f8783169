import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import { insertFile, type LakeFile, type LivePart, markDays } from './manifest.ts'
import { holdGenerations, nextGeneration } from './rollup-generations.ts'

/** An event day of a window. */
export interface AddedDay {
  readonly day: string
  readonly windowKey: string
}

/**
 * Notes windows that were added and took nothing away: their events can be added to the live rollups.
 * Rollups that are made beside them are asked for as ever.
 */
export async function markAdded(
  tx: Tx,
  source: string,
  windows: readonly { readonly key: string; readonly eventDays: readonly string[] }[],
): Promise<void> {
  const added = windows.flatMap(({ key, eventDays }) => eventDays.map((day) => ({ key, day })))
  if (added.length === 0) return
  await holdGenerations(tx)
  const next = await nextGeneration(tx)
  if (next !== null) await markDays(tx, source, [...new Set(added.map(({ day }) => day))], next)
  await sql`insert into rollup_added (source, generation, day, window_key)
    select ${source}, g.generation, n.day, n.key
    from rollup_generation g cross join
      unnest(${added.map(({ day }) => day)}::date[], ${added.map(({ key }) => key)}::text[]) as n (day, key)
    where g.live on conflict do nothing`.execute(tx)
}

/** What a source's rollups lack, and the live windows of the days, all of one moment. */
export interface RollupState {
  /** By day, the version of the request. */
  readonly dirty: ReadonlyMap<string, number>
  readonly added: readonly AddedDay[]
  /** Live windows that hold events of the days, with all their event days. */
  readonly live: readonly (LivePart & { readonly days: readonly string[] })[]
}

/** @param days only these; null for all that lack something. */
export async function readRollupState(
  db: Db,
  source: string,
  generation: string,
  days: readonly string[] | null = null,
): Promise<RollupState> {
  const one = db.transaction().setIsolationLevel('repeatable read')
  return one.execute(async (tx) => {
    const { rows } = await sql<{ day: string; requested: number | null; added: string[] | null }>`
      select day, d.requested, a.added
      from (select day, requested from rollup_day
          where source = ${source} and generation = ${generation} and requested > done) d
        full join (select day, array_agg(window_key order by window_key) as added from rollup_added
          where source = ${source} and generation = ${generation} group by day) a using (day)
      where ${days}::date[] is null or day = any(${days}::date[])
      order by day`.execute(tx)
    const wanted = days ?? rows.map((row) => row.day)
    const live = await tx
      .selectFrom('source_window')
      .select(['file_id', 'window_key', 'event_days'])
      .where('source', '=', source)
      .where('file_id', 'is not', null)
      .where(sql<boolean>`event_days && ${[...wanted]}::date[]`)
      .orderBy('window_key')
      .execute()
    return {
      dirty: new Map(rows.flatMap((row) => (row.requested ? [[row.day, row.requested]] : []))),
      added: rows.flatMap(({ day, added }) =>
        (added ?? []).map((key) => ({ day, windowKey: key })),
      ),
      live: live.map((row) => ({
        fileId: row.file_id ?? '',
        partition: row.window_key,
        days: row.event_days,
      })),
    }
  })
}

/** Notes that added windows are in the rollups of their days now. */
export async function dropAdded(
  tx: Tx,
  source: string,
  generation: string,
  added: readonly AddedDay[],
): Promise<void> {
  if (added.length === 0) return
  await sql`delete from rollup_added a
    using unnest(${added.map((one) => one.day)}::date[],
      ${added.map((one) => one.windowKey)}::text[]) as n (day, key)
    where a.source = ${source} and a.generation = ${generation} and a.day = n.day
      and a.window_key = n.key`.execute(tx)
}

/** Whether a generation is still there; it stays until the end of the transaction if it is. */
export async function holdGeneration(tx: Tx, generation: string): Promise<boolean> {
  await holdGenerations(tx)
  const found = await tx
    .selectFrom('rollup_generation')
    .select('generation')
    .where('generation', '=', generation)
    .executeTakeFirst()
  return found !== undefined
}

/**
 * Puts a file beside the rollups of its days; a day that nobody asked for is complete with it.
 * @param file null when no event counts as usage.
 * @param eventsByDay how many events there are more.
 */
export async function addPart(
  tx: Tx,
  source: string,
  generation: string,
  file: Omit<LakeFile, 'kind'> | null,
  eventsByDay: ReadonlyMap<string, number>,
): Promise<void> {
  const days = [...eventsByDay.keys()]
  if (file) {
    await insertFile(tx, { ...file, kind: 'rollup' })
    await sql`insert into rollup_part (source, generation, day, file_id)
      select ${source}, ${generation}, unnest(${days}::date[]), ${file.id}`.execute(tx)
  }
  await sql`insert into rollup_day (source, generation, day, events, requested, done)
    select ${source}, ${generation}, n.day, n.events, 1, 1
    from unnest(${days}::date[], ${[...eventsByDay.values()]}::bigint[]) as n (day, events)
    on conflict (source, generation, day) do update
      set events = rollup_day.events + excluded.events`.execute(tx)
}

/** Takes away what lies beside the rollups of days that were rebuilt. */
export async function dropParts(
  tx: Tx,
  source: string,
  generation: string,
  days: readonly string[],
): Promise<void> {
  await sql`delete from rollup_part where source = ${source} and generation = ${generation}
    and day = any(${[...days]}::date[])`.execute(tx)
}

/** The files of one day. */
export interface DayParts {
  readonly day: string
  /** Null when the day has parts alone. */
  readonly base: string | null
  readonly baseRows: number
  readonly parts: readonly string[]
  readonly partRows: number
}

/** Days with `many` parts or more. */
export async function daysOfManyParts(
  db: Db,
  source: string,
  generation: string,
  many: number,
): Promise<readonly DayParts[]> {
  const { rows } = await sql<DayParts>`
    select p.day, d.file_id as base, coalesce(b.rows, 0)::float8 as "baseRows",
      array_agg(p.file_id order by p.file_id) as parts, sum(f.rows)::float8 as "partRows"
    from rollup_part p join lake_file f on f.id = p.file_id
      join rollup_day d on d.source = p.source and d.generation = p.generation and d.day = p.day
      left join lake_file b on b.id = d.file_id
    where p.source = ${source} and p.generation = ${generation}
    group by p.day, d.file_id, b.rows having count(*) >= ${many}`.execute(db)
  return rows
}

/**
 * Puts one file in the place of a day's parts, and of the file that they stand beside if it `isBase`.
 * Nobody else may write rollups of the source meanwhile.
 */
export async function replaceParts(
  tx: Tx,
  generation: string,
  { day, parts }: DayParts,
  file: Omit<LakeFile, 'kind'>,
  isBase: boolean,
): Promise<void> {
  const { source, id } = file
  if (!(await holdGeneration(tx, generation))) return
  await insertFile(tx, { ...file, kind: 'rollup' })
  await sql`delete from rollup_part where source = ${source} and generation = ${generation}
    and day = ${day}::date and file_id = any(${[...parts]}::text[])`.execute(tx)
  if (isBase) {
    await sql`update rollup_day set file_id = ${id}
      where source = ${source} and generation = ${generation} and day = ${day}::date`.execute(tx)
  } else {
    await sql`insert into rollup_part (source, generation, day, file_id)
      values (${source}, ${generation}, ${day}::date, ${id})`.execute(tx)
  }
}
