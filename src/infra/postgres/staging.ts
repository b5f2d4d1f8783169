import { sql } from 'kysely'
import type { StagedEvent } from '../../core/ports/usage-stream.ts'
import type { WrittenFile, WrittenWindow } from '../lake/events-file.ts'
import type { Db, Tx } from './database.ts'
import { insertFile, lockManifest, upsertWindows } from './manifest.ts'
import { nextGeneration } from './rollup-generations.ts'
import { markAdded } from './rollup-parts.ts'
import { arrivedAt, markTouched } from './touched.ts'
import { requestTouched, requestWork } from './work.ts'

/** Between the hour and the sequence in the key of a provisional sub-window. */
export const SUB_WINDOW = '~'

/** Stores events as they came: one statement, durable when this resolves. */
export async function stageEvents(
  db: Db,
  source: string,
  bodies: readonly string[],
): Promise<void> {
  await sql`insert into staged_event (source, body)
    select ${source}, unnest(${[...bodies]}::text[])`.execute(db)
}

/** The oldest events that wait, in order. */
export async function readStaged(db: Db, source: string, most: number): Promise<StagedEvent[]> {
  const rows = await db
    .selectFrom('staged_event')
    .select(['id', 'received_at as receivedAt', 'body'])
    .where('source', '=', source)
    .orderBy('id')
    .limit(most)
    .execute()
  return rows
}

/** Staged events as a file of the lake. */
export interface WrittenStage {
  readonly file: WrittenFile
  readonly kept: readonly string[]
  /** Ids of the staged events that the file was made of. */
  readonly stagedIds: readonly number[]
  /** When the first of them came. */
  readonly receivedAt: Date
  /** Profiles in the file. */
  readonly profiles: readonly string[]
}

/**
 * Takes events out of staging and swaps the file that holds them in, in one transaction: they are in
 * one place or the other, whatever happens. Sub-windows of an hour that an export has covered since
 * are left out.
 */
export async function swapStaged(
  db: Db,
  source: string,
  { file, kept, stagedIds, receivedAt, profiles }: WrittenStage,
  now: Date,
): Promise<{ rows: number; covered: number }> {
  return db.transaction().execute(async (tx) => {
    await lockManifest(tx, source)
    const sealed = await sealedHours(tx, source, file.windows)
    const windows = file.windows.filter((window) => !sealed.has(hourOf(window.key)))
    await sql`delete from staged_event
      where source = ${source} and id = any(${[...stagedIds]}::bigint[])`.execute(tx)
    if (file.id !== null && windows.length > 0) {
      const { id, rows, bytes } = file
      await insertFile(tx, { id, source, kind: 'events', rows, bytes, kept })
      await upsertWindows(
        tx,
        windows.map((window) => rowOf(source, id, window, now)),
      )
      await markAdded(tx, source, windows)
      const subjects = profiles.map((profile) => `${source}/${profile}`)
      await markTouched(tx, 'rollup', subjects, arrivedAt(receivedAt))
      await requestTouched(tx, 'rollup', source)
      if ((await nextGeneration(tx)) !== null) await requestWork(tx, 'rebuild', source)
    }
    const rows = sum(windows)
    return { rows, covered: sum(file.windows) - rows }
  })
}

/** A few sub-windows of one hour that may become one. */
export interface MergeableWindows {
  readonly keys: readonly string[]
  readonly fileIds: readonly string[]
}

/**
 * Sub-windows of one hour and of about one size, once there are `many`: an hour then has few of each
 * size, and no event is rewritten more often than there are sizes.
 */
export async function mergeableWindows(
  db: Db,
  source: string,
  kept: readonly string[],
  many: number,
): Promise<MergeableWindows[]> {
  const { rows } = await sql<MergeableWindows>`
    select array_agg(w.window_key order by w.window_key) as keys,
      array_agg(distinct w.file_id) as "fileIds"
    from source_window w join lake_file f on f.id = w.file_id
    where w.source = ${source} and strpos(w.window_key, ${SUB_WINDOW}) > 0 and w.rows > 0
      -- Files that keep something else cannot be written as one.
      and f.kept = ${[...kept]}::text[]
      -- What is in no rollup yet will be looked for by its name.
      and not exists (select from rollup_added a
        where a.source = w.source and a.window_key = w.window_key)
    group by split_part(w.window_key, ${SUB_WINDOW}, 1), floor(log(${many}::numeric, w.rows))
    having count(*) >= ${many}`.execute(db)
  return rows
}

/**
 * Puts one sub-window in the place of several with the same events.
 * @returns false when one of them is gone, for an export has replaced their hour.
 */
export async function swapMerged(
  db: Db,
  source: string,
  keys: readonly string[],
  { file, kept }: { readonly file: WrittenFile; readonly kept: readonly string[] },
  now: Date,
): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    await lockManifest(tx, source)
    const { rows } = await sql`select from source_window
      where source = ${source} and window_key = any(${[...keys]})`.execute(tx)
    const { id } = file
    if (rows.length !== keys.length || id === null) return false
    await insertFile(tx, { id, source, kind: 'events', rows: file.rows, bytes: file.bytes, kept })
    await sql`delete from source_window
      where source = ${source} and window_key = any(${[...keys]})`.execute(tx)
    await upsertWindows(
      tx,
      file.windows.map((window) => rowOf(source, id, window, now)),
    )
    return true
  })
}

/** An hour is sealed once a whole window of it is there, with rows or without. */
async function sealedHours(
  tx: Tx,
  source: string,
  windows: readonly WrittenWindow[],
): Promise<ReadonlySet<string>> {
  const rows = await tx
    .selectFrom('source_window')
    .select('window_key')
    .where('source', '=', source)
    .where('window_key', 'in', ['', ...new Set(windows.map(({ key }) => hourOf(key)))])
    .execute()
  return new Set(rows.map((row) => row.window_key))
}

function rowOf(source: string, fileId: string, window: WrittenWindow, now: Date) {
  return {
    source,
    window_key: window.key,
    file_id: fileId,
    content_hash: window.contentHash,
    rows: window.rows,
    event_days: [...window.eventDays],
    pulled_at: now,
  }
}

const hourOf = (key: string): string => key.split(SUB_WINDOW)[0] ?? key

const sum = (windows: readonly WrittenWindow[]): number =>
  windows.reduce((rows, window) => rows + window.rows, 0)
