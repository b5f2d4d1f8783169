import { sql } from 'kysely'
import { mergeRollups, writeRollup } from '../../src/infra/lake/rollup-file.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { insertFile, liveRollups, liveWindows } from '../../src/infra/postgres/manifest.ts'
import { passTouched, readTouched, type Touched } from '../../src/infra/postgres/touched.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { type JobContext, type StepHandler, TOUCHED } from '../context.ts'

/** Rollups of a source live in at most this many files. */
const MOST_FILES = 24

interface DirtyDay {
  readonly day: string
  readonly requested: number
}

/** Rebuilds the daily rollups of every touched day of one source. */
export const rollup: StepHandler = async (context, source, params) => {
  const wanted = params === TOUCHED ? requestTouched : requestWork
  // Before the live windows: whoever is marked by now is in them.
  const touched = await readTouched(context.db, 'rollup', `${source}/`)
  const dirty: DirtyDay[] = await context.db
    .selectFrom('rollup_day')
    .select(['day', 'requested'])
    .where('source', '=', source)
    .whereRef('requested', '>', 'done')
    .orderBy('day')
    .execute()
  if (dirty.length === 0) {
    // A run that was asked for less may have rolled up what this one was asked for.
    await context.db.transaction().execute((tx) => handOn(tx, touched, wanted))
    return { days: 0 }
  }
  const days = dirty.map((row) => row.day)
  const { usage } = (await readPublished(context.db)).set
  const live = await liveWindows(context.db, source, days)
  const written = await context.duck.connect((c) =>
    writeRollup(c, context.lakeDir, source, days, live, usage),
  )
  await context.db.transaction().execute(async (tx) => {
    if (written.id) {
      const { id, rows, bytes } = written
      await insertFile(tx, { id, source, kind: 'rollup', rows, bytes })
    }
    await sql`update rollup_day r set file_id = ${written.id}, events = n.events, done = n.version
      from unnest(${days}::date[], ${days.map((d) => written.eventsByDay.get(d) ?? 0)}::bigint[],
        ${dirty.map((d) => d.requested)}::bigint[]) as n(day, events, version)
      where r.source = ${source} and r.day = n.day and r.done < n.version`.execute(tx)
    await handOn(tx, touched, wanted)
  })
  return { days: days.length, rows: written.rows, merged: await mergeIfMany(context, source) }
}

async function handOn(tx: Tx, touched: Touched, wanted: typeof requestTouched): Promise<void> {
  await passTouched(tx, touched, 'identity')
  await wanted(tx, 'identity', 'all')
}

/** @returns how many files were merged into one. */
async function mergeIfMany(context: JobContext, source: string): Promise<number> {
  const live = (await liveRollups(context.db)).filter((part) => part.source === source)
  const files = new Set(live.map((part) => part.fileId))
  if (files.size <= MOST_FILES) return 0
  const written = await context.duck.connect((c) => mergeRollups(c, context.lakeDir, source, live))
  const { id } = written
  if (id === null) return 0
  await context.db.transaction().execute(async (tx) => {
    const { rows, bytes } = written
    await insertFile(tx, { id, source, kind: 'rollup', rows, bytes })
    await tx
      .updateTable('rollup_day')
      .set({ file_id: id })
      .where('source', '=', source)
      .where('file_id', 'in', [...files])
      .execute()
  })
  return files.size
}
