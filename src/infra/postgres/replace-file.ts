import { sql } from 'kysely'
import type { WrittenFile } from '../lake/events-file.ts'
import type { Db, Tx } from './database.ts'
import { EMPTY, insertFile, markDays } from './manifest.ts'

/** A file that the manifest names, with its live windows or days. */
export interface LiveFile {
  readonly id: string
  readonly source: string
  readonly kept: readonly string[]
  readonly parts: readonly string[]
}

/** Every live file of a kind. */
export async function liveFiles(db: Db, kind: 'events' | 'rollup'): Promise<readonly LiveFile[]> {
  const parts =
    kind === 'events'
      ? sql`select file_id, window_key as part from source_window`
      : sql`select file_id, day::text as part from rollup_day
          union all select file_id, day::text from rollup_part`
  const { rows } = await sql<LiveFile>`select f.id, f.source, f.kept,
      array_agg(p.part order by p.part) as parts
    from lake_file f join (${parts}) p on p.file_id = f.id
    group by f.id order by f.id`.execute(db)
  return rows
}

/**
 * Puts a file that lacks some rows into the place of the one that has them: for the manifest the same
 * windows, pulled when they were pulled. Nobody else may write windows of the source meanwhile.
 */
export async function replaceEventsFile(
  tx: Tx,
  old: Pick<LiveFile, 'id' | 'source' | 'kept'>,
  file: WrittenFile,
): Promise<void> {
  const { source, kept } = old
  const windows = new Map(file.windows.map((window) => [window.key, window]))
  if (file.id !== null) {
    const { id, rows, bytes } = file
    await insertFile(tx, { id, source, kind: 'events', rows, bytes, kept })
  }
  const before = await tx
    .selectFrom('source_window')
    .select(['window_key', 'content_hash', 'event_days'])
    .where('file_id', '=', old.id)
    .execute()
  const touched = new Set<string>()
  for (const { window_key: key, content_hash: hash, event_days: days } of before) {
    const window = windows.get(key)
    if (window?.contentHash !== hash) for (const day of days) touched.add(day)
    await tx
      .updateTable('source_window')
      .set({
        file_id: window ? file.id : null,
        content_hash: window?.contentHash ?? EMPTY,
        rows: window?.rows ?? 0,
        event_days: [...(window?.eventDays ?? [])],
      })
      .where('source', '=', source)
      .where('window_key', '=', key)
      .execute()
  }
  await markDays(tx, source, [...touched])
}

/** The same for a rollup; `id` of the new file is null when no row is left. */
export async function replaceRollupFile(
  tx: Tx,
  old: Pick<LiveFile, 'id' | 'source'>,
  file: { readonly id: string | null; readonly rows: number; readonly bytes: number },
): Promise<void> {
  const { source } = old
  if (file.id !== null) {
    await insertFile(tx, { ...file, id: file.id, source, kind: 'rollup' })
  }
  await tx
    .updateTable('rollup_day')
    .set({ file_id: file.id })
    .where('file_id', '=', old.id)
    .execute()
  if (file.id === null) {
    await tx.deleteFrom('rollup_part').where('file_id', '=', old.id).execute()
    return
  }
  await tx
    .updateTable('rollup_part')
    .set({ file_id: file.id })
    .where('file_id', '=', old.id)
    .execute()
}
