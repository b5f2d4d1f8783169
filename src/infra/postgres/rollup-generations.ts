import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import { requestWork } from './work.ts'

/** How far the rollups of a source have come that are made beside the live ones. */
export interface RebuildProgress {
  readonly done: number
  readonly total: number
}

const LOCK = 'rollup generations'

/** No generation begins or goes live until the end of this transaction. */
export async function holdGenerations(tx: Tx): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(hashtext(${LOCK}))`.execute(tx)
}

/** The generation that readers use. */
export async function liveGeneration(db: Db | Tx): Promise<string> {
  const row = await db
    .selectFrom('rollup_generation')
    .select('generation')
    .where('live', '=', true)
    .executeTakeFirstOrThrow()
  return row.generation
}

/** The generation that is made beside the live one; null when none is. */
export async function nextGeneration(db: Db | Tx): Promise<string | null> {
  const row = await db
    .selectFrom('rollup_generation')
    .select('generation')
    .where('live', '=', false)
    .executeTakeFirst()
  return row?.generation ?? null
}

/** Asks for the rollups of touched days: the live ones, and those of the generation beside them. */
export async function requestRollups(tx: Tx, source: string): Promise<void> {
  await requestWork(tx, 'rollup', source)
  if ((await nextGeneration(tx)) !== null) await requestWork(tx, 'rebuild', source)
}

/**
 * Begins a generation beside the live one, with every day that holds an event. What was being made for
 * another one is given up; when it is the live one itself, that is all that happens.
 */
export async function beginGeneration(tx: Tx, generation: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext(${LOCK}))`.execute(tx)
  await tx
    .deleteFrom('rollup_generation')
    .where('live', '=', false)
    .where('generation', '!=', generation)
    .execute()
  const begun = await tx
    .insertInto('rollup_generation')
    .values({ generation, live: false })
    .onConflict((c) => c.doNothing())
    .returning('generation')
    .execute()
  if (begun.length === 0) return
  await sql`insert into rollup_day (source, generation, day)
    select distinct w.source, ${generation}, d.day
    from source_window w cross join unnest(w.event_days) as d (day)`.execute(tx)
  const sources = await tx
    .selectFrom('rollup_day')
    .select('source')
    .distinct()
    .where('generation', '=', generation)
    .execute()
  for (const { source } of sources) await requestWork(tx, 'rebuild', source)
  if (sources.length === 0) await swapGenerations(tx, generation)
}

/**
 * Makes a generation live once every day of it is done, and forgets the one before.
 * @returns whether it is live now.
 */
export async function completeGeneration(tx: Tx, generation: string): Promise<boolean> {
  await sql`select pg_advisory_xact_lock(hashtext(${LOCK}))`.execute(tx)
  const open = await tx
    .selectFrom('rollup_day')
    .select('day')
    .where('generation', '=', generation)
    .whereRef('requested', '>', 'done')
    .limit(1)
    .executeTakeFirst()
  if (open || (await nextGeneration(tx)) !== generation) return false
  await swapGenerations(tx, generation)
  return true
}

async function swapGenerations(tx: Tx, generation: string): Promise<void> {
  await tx.deleteFrom('rollup_generation').where('live', '=', true).execute()
  await tx
    .updateTable('rollup_generation')
    .set({ live: true })
    .where('generation', '=', generation)
    .execute()
}

/** How far a rebuild has come, by source; empty when there is none. */
export async function readRebuild(db: Db | Tx): Promise<Record<string, RebuildProgress>> {
  const { rows } = await sql<{ source: string; done: number; total: number }>`
    select source, count(*) filter (where r.done >= r.requested) as done, count(*) as total
    from rollup_day r join rollup_generation g on g.generation = r.generation
    where not g.live group by source order by source`.execute(db)
  return Object.fromEntries(
    rows.map(({ source, done, total }) => [source, { done: Number(done), total: Number(total) }]),
  )
}
