import { type Selectable, sql } from 'kysely'
import type { SyncFailureKind } from '../../core/errors.ts'
import type { Db, Tx } from './database.ts'
import type { Tables } from './tables.ts'

/**
 * The steps of the flow, in its order, and the one beside it. Each is level-triggered by one row for
 * each key.
 */
export const STEPS = [
  'forget',
  'pull',
  'stage',
  'rollup',
  'identity',
  'score',
  'desire',
  'reconcile',
  'listen',
  'rebuild',
  'outbound',
] as const
export type Step = (typeof STEPS)[number]

/** The lock that whoever works on a row holds. */
export const workLock = (step: Step, key: string): string => `work ${step} ${key}`

export interface WorkRow {
  readonly step: Step
  readonly key: string
  readonly params: Readonly<Record<string, unknown>> | null
  readonly requested: number
  readonly done: number
  /** The requested version that failed last; below `requested` when there is something new to try. */
  readonly failed: number
  /** The last request that was about everything; when it is done, only touched subjects are asked for. */
  readonly whole: number
  readonly errorKind: SyncFailureKind | 'bug' | null
  readonly error: string | null
  readonly changedAt: Date
}

/** Whatever is asked for meanwhile, the first of it has waited longest. */
const OPEN_SINCE = sql`case when work.requested > work.done then coalesce(work.open_since, now()) else now() end`

/**
 * Asks a step to look again, with what it needs to know besides the state; part of the transaction that gives it something
 * to see.
 */
export async function requestWork(
  tx: Tx | Db,
  step: Step,
  key: string,
  params: Readonly<Record<string, unknown>> | null = null,
): Promise<void> {
  const json = params === null ? null : JSON.stringify(params)
  await sql`insert into work (step, key, requested, whole, params, open_since)
    values (${step}, ${key}, 1, 1, ${json}::jsonb, now())
    on conflict (step, key) do update
      set requested = work.requested + 1, whole = work.requested + 1, changed_at = now(),
        open_since = ${OPEN_SINCE},
        -- Files that are asked for while others wait are read with them.
        params = case when work.requested > work.done and work.failed < work.requested
            and work.params ? 'files' and excluded.params ? 'files'
          then jsonb_build_object('files', (select jsonb_agg(distinct f)
            from jsonb_array_elements((work.params -> 'files') || (excluded.params -> 'files')) f))
          else excluded.params end`.execute(tx)
}

/**
 * Asks a step to look at what was touched, and at nothing else unless somebody asked for everything
 * before; part of the transaction that leaves the marks.
 * @returns whether there was nothing open before that somebody is about to look at anyway.
 */
export async function requestTouched(tx: Tx | Db, step: Step, key: string): Promise<boolean> {
  const { rows } = await sql<{ isFirst: boolean }>`
    insert into work (step, key, requested, open_since) values (${step}, ${key}, 1, now())
    on conflict (step, key) do update
      set requested = work.requested + 1, params = null, changed_at = now(), open_since = ${OPEN_SINCE}
    returning requested - 1 <= done or failed >= requested - 1 as "isFirst"`.execute(tx)
  return rows[0]?.isFirst ?? true
}

/** Notes why the request `version` came to nothing; it stays open. */
export async function failWork(
  db: Db,
  step: Step,
  key: string,
  version: number,
  kind: SyncFailureKind | 'bug',
  message: string,
): Promise<void> {
  await sql`update work set failed = ${version}, error = ${message}, error_kind = ${kind},
      changed_at = now()
    where step = ${step} and key = ${key}`.execute(db)
}

/** Tries again what failed at a CRM for want of something that a person has now done. */
export async function reviveCrm(db: Db, crm: string): Promise<void> {
  await sql`update work set failed = 0, changed_at = now()
    where step in ('reconcile', 'listen') and key = ${crm} and error_kind = 'config'
      and requested > done and failed >= requested`.execute(db)
}

/** All rows, or those of one step and key. */
export async function readWork(db: Db, step?: Step, key?: string): Promise<readonly WorkRow[]> {
  const rows = await db
    .selectFrom('work')
    .selectAll()
    .$if(step !== undefined, (q) => q.where('step', '=', step ?? ''))
    .$if(key !== undefined, (q) => q.where('key', '=', key ?? ''))
    .execute()
  return rows.map(workRowOf)
}

function workRowOf(row: Selectable<Tables['work']>): WorkRow {
  return {
    step: row.step as Step,
    key: row.key,
    params: row.params as WorkRow['params'],
    requested: row.requested,
    done: row.done,
    failed: row.failed,
    whole: row.whole,
    errorKind: row.error_kind as WorkRow['errorKind'],
    error: row.error,
    changedAt: row.changed_at,
  }
}

/** A run of a step that has begun. */
export interface BegunRun {
  readonly row: WorkRow
  readonly runId: number
}

/** Begins a run of what is asked for, if something is; what failed for good waits for a new request. */
export async function beginRun(db: Db, step: Step, key: string): Promise<BegunRun | null> {
  const { rows } = await sql<Selectable<Tables['work']> & { run_id: number }>`
    with open as (select * from work where step = ${step} and key = ${key}
        and requested > done and failed < requested),
      begun as (insert into run (step, key, started_at, counts)
        select step, key, ${new Date()}::timestamptz, '{}'::jsonb from open returning id)
    select open.*, begun.id as run_id from open, begun`.execute(db)
  const [row] = rows
  return row ? { row: workRowOf(row), runId: row.run_id } : null
}

/**
 * Notes that a run is over and that everything asked for up to its version is done: at once, so that
 * whoever sees that the work is done may read what was done.
 */
export async function finishRun(
  db: Db,
  { row: { step, key, requested }, runId }: BegunRun,
  counts: Readonly<Record<string, number>>,
): Promise<void> {
  await sql`with ended as (update run set finished_at = ${new Date()}::timestamptz, outcome = 'done',
        counts = ${JSON.stringify(counts)}::jsonb where id = ${runId})
    update work set done = greatest(done, ${requested}), error = null, error_kind = null,
      changed_at = now(), open_since = case when requested > ${requested} then now() end
    where step = ${step} and key = ${key}`.execute(db)
}
