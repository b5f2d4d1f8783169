import { sql } from 'kysely'
import type { UsageMapping } from '../../src/core/mapping/usage-mapping.ts'
import { mergeRollups, writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { Db, Tx } from '../../src/infra/postgres/database.ts'
import { insertFile } from '../../src/infra/postgres/manifest.ts'
import { holdGenerations } from '../../src/infra/postgres/rollup-generations.ts'
import { dropAdded, dropParts, readRollupState } from '../../src/infra/postgres/rollup-parts.ts'
import type { JobContext } from '../context.ts'

/** Rollups of a source live in at most this many files. */
const MOST_FILES = 24

/** A day whose rollup was asked for again. */
export interface DirtyDay {
  readonly day: string
  readonly requested: number
}

/** Whose rollups, and by which tracking plan. */
export interface RollupTarget {
  readonly source: string
  readonly generation: string
  readonly usage: UsageMapping
}

/** The touched days of one source in a generation, oldest first. */
export async function dirtyDays(db: Db, source: string, generation: string): Promise<DirtyDay[]> {
  return db
    .selectFrom('rollup_day')
    .select(['day', 'requested'])
    .where('source', '=', source)
    .where('generation', '=', generation)
    .whereRef('requested', '>', 'done')
    .orderBy('day')
    .execute()
}

/**
 * Writes the rollups of these days and names them in the manifest, with what `andThen` adds in the same
 * transaction. Nothing happens to a generation that is gone by then.
 * @returns how many rows they have.
 */
export async function rollDays(
  context: JobContext,
  { source, generation, usage }: RollupTarget,
  dirty: readonly DirtyDay[],
  andThen: (tx: Tx) => Promise<void> = async () => {},
): Promise<number> {
  const days = dirty.map((row) => row.day)
  const { live, added } = await readRollupState(context.db, source, generation, days)
  const written = await context.duck.connect((c) =>
    writeRollup(c, context.lakeDir, source, days, live, usage),
  )
  await context.db.transaction().execute(async (tx) => {
    await holdGenerations(tx)
    if (written.id) {
      const { id, rows, bytes } = written
      await insertFile(tx, { id, source, kind: 'rollup', rows, bytes })
    }
    await sql`update rollup_day r set file_id = ${written.id}, events = n.events, done = n.version
      from unnest(${days}::date[], ${days.map((d) => written.eventsByDay.get(d) ?? 0)}::bigint[],
        ${dirty.map((d) => d.requested)}::bigint[]) as n(day, events, version)
      where r.source = ${source} and r.generation = ${generation} and r.day = n.day
        and r.done < n.version`.execute(tx)
    await dropParts(tx, source, generation, days)
    await dropAdded(tx, source, generation, added)
    await andThen(tx)
  })
  return written.rows
}

/** @returns how many files were merged into one. */
export async function mergeIfMany(
  context: JobContext,
  source: string,
  generation: string,
): Promise<number> {
  const rows = await context.db
    .selectFrom('rollup_day')
    .select(['file_id', 'day'])
    .where('source', '=', source)
    .where('generation', '=', generation)
    .where('file_id', 'is not', null)
    .orderBy('day')
    .execute()
  const live = rows.map((row) => ({ fileId: row.file_id ?? '', partition: row.day }))
  const files = new Set(live.map((part) => part.fileId))
  if (files.size <= MOST_FILES) return 0
  const written = await context.duck.connect((c) => mergeRollups(c, context.lakeDir, source, live))
  const { id } = written
  if (id === null) return 0
  await context.db.transaction().execute(async (tx) => {
    await holdGenerations(tx)
    await insertFile(tx, { id, source, kind: 'rollup', rows: written.rows, bytes: written.bytes })
    await tx
      .updateTable('rollup_day')
      .set({ file_id: id })
      .where('source', '=', source)
      .where('generation', '=', generation)
      .where('file_id', 'in', [...files])
      .execute()
  })
  return files.size
}
