import { type Insertable, sql } from 'kysely'
import { covers } from '../../core/usage/kept.ts'
import type { WrittenFile } from '../lake/events-file.ts'
import type { Db, Tx } from './database.ts'
import { holdGenerations, requestRollups } from './rollup-generations.ts'
import type { Tables } from './tables.ts'
import { markArrival } from './touched.ts'
import { requestWork } from './work.ts'

/** One live part of a lake file: the rows of this partition in this file count, all others do not. */
export interface LivePart {
  readonly fileId: string
  readonly partition: string
}

export interface SwappedWindows {
  readonly changed: number
  readonly unchanged: number
}

/** Files that were written, and what of the events' properties they keep. */
export interface WrittenFiles {
  /** No window may be in two of them. */
  readonly files: readonly WrittenFile[]
  readonly kept: readonly string[]
}

/**
 * Swaps old windows for new in one transaction: `expected` windows without rows become empty. Windows
 * whose content is the same stay as they are. What was streamed in for these windows goes. Marks each
 * touched event day for a new rollup.
 */
export async function swapWindows(
  db: Db,
  source: string,
  expected: readonly string[],
  { files, kept }: WrittenFiles,
  pulledAt: Date,
): Promise<SwappedWindows> {
  return db.transaction().execute(async (tx) => {
    await lockManifest(tx, source)
    const next = new Map(files.flatMap((f) => f.windows.map((w) => [w.key, { ...w, file: f }])))
    const keys = [...new Set([...expected, ...next.keys()])]
    const oldByKey = await windowsBefore(tx, source, keys)
    const changed = keys.filter((key) => {
      const before = oldByKey.get(key)
      if (before === undefined) return true
      const same = before.content_hash === (next.get(key)?.contentHash ?? EMPTY)
      // The same rows, but the old file lacks a place that is looked at now.
      return !same || (before.kept !== null && !covers(before.kept, kept))
    })
    const touched = new Set<string>()
    for (const key of changed) {
      for (const day of oldByKey.get(key)?.event_days ?? []) touched.add(day)
      for (const day of next.get(key)?.eventDays ?? []) touched.add(day)
    }
    const provisional = await dropSubWindows(tx, source, keys)
    for (const day of provisional) touched.add(day)
    const used = new Set(changed.map((key) => next.get(key)?.file).filter((f) => f !== undefined))
    for (const { id, rows, bytes } of used) {
      if (id !== null) await insertFile(tx, { id, source, kind: 'events', rows, bytes, kept })
    }
    const values = changed.map((key) => ({
      source,
      window_key: key,
      file_id: next.get(key)?.file.id ?? null,
      content_hash: next.get(key)?.contentHash ?? EMPTY,
      rows: next.get(key)?.rows ?? 0,
      event_days: [...(next.get(key)?.eventDays ?? [])],
      pulled_at: pulledAt,
    }))
    for (const some of chunks(values, 2000)) await upsertWindows(tx, some)
    await touchPulled(tx, source, keys, pulledAt)
    await markDays(tx, source, [...touched])
    if (touched.size > 0 || changed.length > 0) {
      await markArrival(tx, 'rollup', source)
      await requestRollups(tx, source)
    }
    // Profiles and the like are on no event day: no rollup asks for people after them.
    const noEvents = changed.some((key) => {
      const [then, now] = [oldByKey.get(key), next.get(key)]
      return (
        isWithoutDays(then?.content_hash, then?.event_days) ||
        isWithoutDays(now?.contentHash, now?.eventDays)
      )
    })
    if (noEvents) await requestWork(tx, 'identity', 'all')
    return { changed: changed.length, unchanged: keys.length - changed.length }
  })
}

/** Content of a window without rows. */
export const EMPTY = 'empty'

const isWithoutDays = (hash = EMPTY, days: readonly string[] = []): boolean =>
  hash !== EMPTY && days.length === 0

/** Until the transaction ends, nobody else swaps windows of this source. */
export async function lockManifest(tx: Tx, source: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${`manifest ${source}`}))`.execute(tx)
}

/**
 * Takes out what was streamed in (`<key>~<sequence>`) for windows that are whole now.
 * @returns the event days that it held.
 */
async function dropSubWindows(tx: Tx, source: string, keys: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ event_days: string[] }>`delete from source_window
    where source = ${source} and strpos(window_key, '~') > 0
      and split_part(window_key, '~', 1) = any(${[...keys]})
    returning event_days`.execute(tx)
  return rows.flatMap((row) => row.event_days)
}

interface WindowBefore {
  readonly content_hash: string
  readonly event_days: readonly string[]
  /** Null for a window without rows. */
  readonly kept: readonly string[] | null
}

async function windowsBefore(
  tx: Tx,
  source: string,
  keys: readonly string[],
): Promise<Map<string, WindowBefore>> {
  const rows = await tx
    .selectFrom('source_window as w')
    .leftJoin('lake_file as f', 'f.id', 'w.file_id')
    .select(['w.window_key', 'w.content_hash', 'w.event_days', 'f.kept'])
    .where('w.source', '=', source)
    .where(sql<boolean>`w.window_key = any(${[...keys]})`)
    .execute()
  return new Map(rows.map((row) => [row.window_key, row]))
}

/** Puts windows into the manifest as they are. */
export async function upsertWindows(
  tx: Tx,
  values: readonly Insertable<Tables['source_window']>[],
): Promise<void> {
  await tx
    .insertInto('source_window')
    .values(values)
    .onConflict((c) =>
      c.columns(['source', 'window_key']).doUpdateSet((e) => ({
        file_id: e.ref('excluded.file_id'),
        content_hash: e.ref('excluded.content_hash'),
        rows: e.ref('excluded.rows'),
        event_days: e.ref('excluded.event_days'),
        pulled_at: e.ref('excluded.pulled_at'),
      })),
    )
    .execute()
}

async function touchPulled(tx: Tx, source: string, keys: string[], at: Date): Promise<void> {
  await sql`update source_window set pulled_at = ${at}
    where source = ${source} and window_key = any(${keys})`.execute(tx)
}

/** Asks for new rollups of these event days, in every generation or in one. */
export async function markDays(
  tx: Tx,
  source: string,
  days: readonly string[],
  generation: string | null = null,
): Promise<void> {
  if (days.length === 0) return
  await holdGenerations(tx)
  await sql`insert into rollup_day (source, generation, day)
    select ${source}, g.generation, d.day
    from rollup_generation g cross join unnest(${[...days]}::date[]) as d (day)
    where ${generation}::text is null or g.generation = ${generation}
    on conflict (source, generation, day) do update set requested = rollup_day.requested + 1`.execute(
    tx,
  )
}

export interface LakeFile {
  readonly id: string
  readonly source: string
  readonly kind: 'events' | 'rollup'
  readonly rows: number
  readonly bytes: number
  /** Of an events file: what of the properties it keeps. */
  readonly kept?: readonly string[]
}

/** Registers a file; a file that is known by its content stays as it is. */
export async function insertFile(tx: Tx, { kept = [], ...file }: LakeFile): Promise<void> {
  await tx
    .insertInto('lake_file')
    .values({ ...file, kept: [...kept] })
    .onConflict((c) => c.column('id').doUpdateSet((e) => ({ kept: e.ref('excluded.kept') })))
    .execute()
}

/** Live parts of the events of a source; with `days`, of the files that hold one of them. */
export async function liveWindows(
  db: Db,
  source: string,
  days: readonly string[] | null = null,
): Promise<readonly LivePart[]> {
  const rows = await db
    .selectFrom('source_window')
    .select(['file_id', 'window_key'])
    .where('source', '=', source)
    .where('file_id', 'is not', null)
    .$if(days !== null, (q) => q.where(sql<boolean>`event_days && ${[...(days ?? [])]}::date[]`))
    .orderBy('window_key')
    .execute()
  return rows.map((row) => ({ fileId: row.file_id ?? '', partition: row.window_key }))
}

/** Sources that something was stored of, whether they are still connected or declared or not. */
export async function storedSources(db: Db): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('source_window')
    .select('source')
    .distinct()
    .orderBy('source')
    .execute()
  return rows.map((row) => row.source)
}

/** A live part of a rollup. */
export type SourcePart = LivePart & { readonly source: string }

/** Live parts of the rollups of all sources, or of another generation. */
export async function liveRollups(
  db: Db | Tx,
  generation: string | null = null,
): Promise<readonly SourcePart[]> {
  const { rows } = await sql<SourcePart>`
    select source, file_id as "fileId", day as partition
    from (select source, generation, file_id, day from rollup_day where file_id is not null
        union all select source, generation, file_id, day from rollup_part) r
      join rollup_generation g using (generation)
    where case when ${generation}::text is null then g.live else generation = ${generation} end
    order by source, day, file_id`.execute(db)
  return rows
}

function* chunks<T>(values: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size)
}
