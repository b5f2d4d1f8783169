import { sql } from 'kysely'
import type { WrittenFile } from '../lake/events-file.ts'
import type { Db, Tx } from './database.ts'
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

/**
 * Swaps old windows for new in one transaction: `expected` windows without rows become empty. Windows
 * whose content is the same stay as they are. Marks each touched event day for a new rollup.
 */
export async function swapWindows(
  db: Db,
  source: string,
  expected: readonly string[],
  file: WrittenFile,
  pulledAt: Date,
): Promise<SwappedWindows> {
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext(${`manifest ${source}`}))`.execute(tx)
    const next = new Map(file.windows.map((w) => [w.key, w]))
    const keys = [...new Set([...expected, ...next.keys()])]
    const old = await tx
      .selectFrom('source_window')
      .select(['window_key', 'content_hash', 'event_days'])
      .where('source', '=', source)
      .where('window_key', 'in', keys.length > 0 ? keys : [''])
      .execute()
    const oldByKey = new Map(old.map((w) => [w.window_key, w]))
    const changed = keys.filter((key) => {
      const before = oldByKey.get(key)
      return before === undefined || before.content_hash !== (next.get(key)?.contentHash ?? EMPTY)
    })
    const touched = new Set<string>()
    for (const key of changed) {
      for (const day of oldByKey.get(key)?.event_days ?? []) touched.add(day)
      for (const day of next.get(key)?.eventDays ?? []) touched.add(day)
    }
    if (file.id && changed.some((key) => next.has(key))) {
      await insertFile(tx, source, 'events', file.id, file.rows, file.bytes)
    }
    const values = changed.map((key) => ({
      source,
      window_key: key,
      file_id: next.has(key) ? file.id : null,
      content_hash: next.get(key)?.contentHash ?? EMPTY,
      rows: next.get(key)?.rows ?? 0,
      event_days: [...(next.get(key)?.eventDays ?? [])],
      pulled_at: pulledAt,
    }))
    for (const some of chunks(values, 2000)) {
      await tx
        .insertInto('source_window')
        .values(some)
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
    await touchPulled(tx, source, keys, pulledAt)
    await markDays(tx, source, [...touched])
    if (changed.length > 0) await requestWork(tx, 'rollup', source)
    return { changed: changed.length, unchanged: keys.length - changed.length }
  })
}

const EMPTY = 'empty'

async function touchPulled(tx: Tx, source: string, keys: string[], at: Date): Promise<void> {
  await sql`update source_window set pulled_at = ${at}
    where source = ${source} and window_key = any(${keys})`.execute(tx)
}

/** Asks for new rollups of these event days. */
export async function markDays(
  tx: Tx | Db,
  source: string,
  days: readonly string[],
): Promise<void> {
  if (days.length === 0) return
  await sql`insert into rollup_day (source, day)
    select ${source}, unnest(${[...days]}::date[])
    on conflict (source, day) do update set requested = rollup_day.requested + 1`.execute(tx)
}

/** Registers a file; a file that is known by its content stays as it is. */
export async function insertFile(
  tx: Tx,
  source: string,
  kind: 'events' | 'rollup',
  id: string,
  rows: number,
  bytes: number,
): Promise<void> {
  await tx
    .insertInto('lake_file')
    .values({ id, source, kind, rows, bytes })
    .onConflict((c) => c.column('id').doNothing())
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

/** Live parts of the rollups of all sources. */
export async function liveRollups(
  db: Db,
): Promise<readonly (LivePart & { readonly source: string })[]> {
  const rows = await db
    .selectFrom('rollup_day')
    .select(['source', 'file_id', 'day'])
    .where('file_id', 'is not', null)
    .orderBy('source')
    .orderBy('day')
    .execute()
  return rows.map((row) => ({ source: row.source, fileId: row.file_id ?? '', partition: row.day }))
}

function* chunks<T>(values: readonly T[], size: number): Generator<T[]> {
  for (let at = 0; at < values.length; at += size) yield values.slice(at, at + size)
}
