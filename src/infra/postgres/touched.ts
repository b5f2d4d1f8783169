import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import type { Step } from './work.ts'

/** What was touched for a step: the marks, and whom they name. */
export interface Touched {
  readonly ids: readonly number[]
  readonly subjects: readonly string[]
}

/** Marks subjects for a step. */
export async function markTouched(tx: Tx, step: Step, subjects: readonly string[]): Promise<void> {
  if (subjects.length === 0) return
  await sql`insert into touched (step, subject) select ${step}, unnest(${[...subjects]}::text[])`.execute(
    tx,
  )
}

/**
 * Reads the marks of a step.
 * @param prefix keeps to subjects that begin so.
 * @param most how many subjects, at most, the oldest first; all of their marks come along.
 */
export async function readTouched(
  db: Db | Tx,
  step: Step,
  prefix = '',
  most: number | null = null,
): Promise<Touched> {
  const rows = await db
    .selectFrom('touched')
    .select(['id', 'subject'])
    .where('step', '=', step)
    .$if(prefix !== '', (q) => q.where(sql<boolean>`starts_with(subject, ${prefix})`))
    .$if(most !== null, (q) =>
      q.where(sql<boolean>`subject in (select t.subject from touched t where t.step = ${step}
        group by t.subject order by min(t.id) limit ${most})`),
    )
    .execute()
  const subjects = [...new Set(rows.map((row) => row.subject))]
  return { ids: rows.map((row) => row.id), subjects }
}

/** Hands marks on to the next step. */
export async function passTouched(tx: Tx, { ids }: Touched, next: Step): Promise<void> {
  if (ids.length === 0) return
  await sql`update touched set step = ${next} where id = any(${[...ids]}::bigint[])`.execute(tx)
}

/** Removes marks that were looked at. */
export async function clearTouched(tx: Tx | Db, { ids }: Touched): Promise<void> {
  if (ids.length === 0) return
  await sql`delete from touched where id = any(${[...ids]}::bigint[])`.execute(tx)
}
