import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import type { Step } from './work.ts'

/** What was touched for a step: the marks, whom they name, and when what touched them arrived. */
export interface Touched {
  readonly ids: readonly number[]
  readonly subjects: readonly string[]
  readonly arrivals: Arrivals
}

/** When what touched somebody arrived, by subject; null where nothing arrived, as when only time has passed. */
export interface Arrivals {
  readonly of: (subject: string) => Date | null
  /** The earliest of all of them. */
  readonly first: Date | null
}

/** Stands for everybody: somebody touched those who are not named. */
const EVERYBODY = '*'

const isEverybody = (subject: string): boolean =>
  subject === EVERYBODY || subject.endsWith(`/${EVERYBODY}`)

/** Everything arrived at one time, or nothing did. */
export const arrivedAt = (first: Date | null): Arrivals => ({ of: () => first, first })

/** Marks subjects for a step. */
export async function markTouched(
  tx: Tx,
  step: Step,
  subjects: readonly string[],
  arrivals: Arrivals,
): Promise<void> {
  if (subjects.length === 0) return
  const times = subjects.map((subject) => arrivals.of(subject))
  await sql`insert into touched (step, subject, arrived_at)
    select ${step}, * from unnest(${[...subjects]}::text[], ${times}::timestamptz[])`.execute(tx)
}

/** Hands on that something arrived for everybody, without naming anybody. */
export async function passArrival(tx: Tx, step: Step, at: Date | null): Promise<void> {
  if (at !== null) await markTouched(tx, step, [EVERYBODY], arrivedAt(at))
}

/** Marks that something of a source has arrived just now, without naming anybody. */
export async function markArrival(tx: Tx, step: Step, source: string): Promise<void> {
  await sql`insert into touched (step, subject) values (${step}, ${`${source}/${EVERYBODY}`})`.execute(
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
    .select(['id', 'subject', 'arrived_at'])
    .where('step', '=', step)
    .$if(prefix !== '', (q) => q.where(sql<boolean>`starts_with(subject, ${prefix})`))
    .$if(most !== null, (q) =>
      q.where(sql<boolean>`subject in (select t.subject from touched t where t.step = ${step}
        group by t.subject order by min(t.id) limit ${most})`),
    )
    .execute()
  const subjects = new Set(rows.map((row) => row.subject).filter((one) => !isEverybody(one)))
  return { ids: rows.map((row) => row.id), subjects: [...subjects], arrivals: arrivalsOf(rows) }
}

function arrivalsOf(
  rows: readonly { readonly subject: string; readonly arrived_at: Date | null }[],
): Arrivals {
  const known = new Map<string, Date | null>()
  let first: Date | null = null
  let everybody: Date | null = null
  for (const { subject, arrived_at: at } of rows) {
    if (isEverybody(subject)) everybody = earlier(everybody, at)
    else known.set(subject, earlier(known.get(subject) ?? null, at))
    first = earlier(first, at)
  }
  return { of: (subject) => earlier(known.get(subject) ?? null, everybody), first }
}

const earlier = (a: Date | null, b: Date | null): Date | null => {
  if (a === null || b === null) return a ?? b
  return a < b ? a : b
}

/** Hands marks on to the next step. */
export async function passTouched(tx: Tx, { ids }: Touched, next: Step): Promise<void> {
  if (ids.length === 0) return
  await sql`update touched set step = ${next} where id = any(${[...ids]}::bigint[])`.execute(tx)
}

/** Removes marks that were looked at. */
export async function clearTouched(tx: Tx | Db, { ids }: Pick<Touched, 'ids'>): Promise<void> {
  if (ids.length === 0) return
  await sql`delete from touched where id = any(${[...ids]}::bigint[])`.execute(tx)
}
