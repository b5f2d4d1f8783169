import { sql } from 'kysely'
import { ConfigError } from '../../core/errors.ts'
import type { Credits } from '../../core/playbook/assign.ts'
import type { Db, Tx } from './database.ts'

/** Somebody for whom a playbook may start, and why. */
export interface Candidate {
  readonly subjectId: string
  /** The model whose score changed. */
  readonly model: string
  /** The behaviour that brought the change about; null where the change itself is what is fresh. */
  readonly evidenceAt: Date | null
  /** When the score changed. */
  readonly at: Date
}

interface CandidateRow {
  readonly subject_id: string
  readonly model: string
  readonly evidence_at: Date | null
  readonly as_of: Date
}

const toCandidate = (row: CandidateRow): Candidate => ({
  subjectId: row.subject_id,
  model: row.model,
  evidenceAt: row.evidence_at,
  at: row.as_of,
})

/** The newest entry into a usage status of everybody who entered it by behaviour since an instant. */
export async function enteredStatus(
  tx: Tx,
  models: readonly string[],
  status: string,
  since: Date,
): Promise<Candidate[]> {
  const { rows } = await sql<CandidateRow>`
    select distinct on (subject_id, model) subject_id, model, evidence_at, as_of from score_change
    where model = any(${[...models]}::text[]) and to_status = ${status}
      and from_status is distinct from to_status and evidence_at >= ${since}
    order by subject_id, model, id desc`.execute(tx)
  return rows.map(toCandidate)
}

/** The same of a score that was below a threshold before. */
export async function crossedScore(
  tx: Tx,
  models: readonly string[],
  threshold: number,
  since: Date,
): Promise<Candidate[]> {
  const { rows } = await sql<CandidateRow>`
    select distinct on (subject_id, model) subject_id, model, evidence_at, as_of from score_change
    where model = any(${[...models]}::text[]) and to_score >= ${threshold}
      and coalesce(from_score, 0) < ${threshold} and evidence_at >= ${since}
    order by subject_id, model, id desc`.execute(tx)
  return rows.map(toCandidate)
}

/**
 * Everybody whose score fell since an instant, by time or by use, and is so many points below its best since the
 * subject was qualified. Silence has no evidence: the fall itself is what is fresh.
 */
export async function fallenScore(
  tx: Tx,
  models: readonly string[],
  by: number,
  since: Date,
): Promise<Candidate[]> {
  const { rows } = await sql<CandidateRow>`
    select s.subject_id, s.model, null::timestamptz as evidence_at, s.qualified_at as as_of
    from score s
    where s.model = any(${[...models]}::text[]) and s.qualified_at is not null
      and exists (select from score_change f where f.subject_id = s.subject_id and f.model = s.model
        and f.as_of >= ${since} and f.to_score < f.from_score and f.cause in ('time', 'usage'))
      and (select max(c.to_score) from score_change c where c.subject_id = s.subject_id
        and c.model = s.model and c.as_of >= s.qualified_at) - s.score >= ${by}
    order by 1, 2`.execute(tx)
  return rows.map(toCandidate)
}

/** Ids of whoever did something since an instant that gave points. */
export async function recentlyActive(
  tx: Tx,
  models: readonly string[],
  since: Date,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`select distinct subject_id as id from score
    where model = any(${[...models]}::text[]) and evidence_at >= ${since} order by 1`.execute(tx)
  return rows.map(({ id }) => id)
}

/** A playbook of a CRM. */
export interface PlaybookOf {
  readonly crm: string
  readonly playbook: string
}

/**
 * Notes that a playbook looks, and for what.
 * @param trigger names what it looks for; another one than before is looked for afresh.
 * @returns true when it never did before.
 */
export async function beginLooking(
  tx: Tx,
  { crm, playbook }: PlaybookOf,
  trigger: string,
  now: Date,
): Promise<boolean> {
  // An earlier version did not note for what.
  await sql`update playbook_look set trigger = ${trigger}
    where playbook = ${playbook} and crm = ${crm} and trigger is null`.execute(tx)
  const result = await sql`insert into playbook_look as k (playbook, crm, first_at, trigger)
    values (${playbook}, ${crm}, ${now}, ${trigger})
    on conflict (playbook, crm) do update set first_at = excluded.first_at, trigger = excluded.trigger
    where k.trigger <> excluded.trigger`.execute(tx)
  const isFirst = Number(result.numAffectedRows ?? 0) > 0
  if (isFirst) {
    await tx
      .deleteFrom('playbook_standing')
      .where('crm', '=', crm)
      .where('playbook', '=', playbook)
      .execute()
  }
  return isFirst
}

/** For whom the reason of a playbook holds, and since when. */
export interface Standing {
  readonly since: Date
  /** True while the playbook may start for it yet. */
  readonly held: boolean
}

/** For whom the reason of a playbook held at its last look, by id. */
export async function readStanding(
  tx: Tx,
  { crm, playbook }: PlaybookOf,
): Promise<ReadonlyMap<string, Standing>> {
  const rows = await tx
    .selectFrom('playbook_standing')
    .select(['subject_id', 'since', 'held'])
    .where('crm', '=', crm)
    .where('playbook', '=', playbook)
    .execute()
  return new Map(rows.map(({ subject_id: id, ...standing }) => [id, standing]))
}

/** Notes that a playbook started for somebody by what holds. */
export async function useStanding(
  tx: Tx,
  { crm, playbook }: PlaybookOf,
  subjectId: string,
): Promise<void> {
  await tx
    .updateTable('playbook_standing')
    .set({ held: false })
    .where('crm', '=', crm)
    .where('playbook', '=', playbook)
    .where('subject_id', '=', subjectId)
    .execute()
}

/** Notes for whom it began to hold, `held` where it may start yet, and for whom it holds no more. */
export async function storeStanding(
  tx: Tx,
  { crm, playbook }: PlaybookOf,
  {
    begun,
    ended,
    held,
  }: Readonly<Record<'begun' | 'ended', readonly string[]>> & {
    readonly held: boolean
  },
  now: Date,
): Promise<void> {
  if (begun.length > 0) {
    await sql`insert into playbook_standing (subject_id, playbook, crm, since, held)
      select id, ${playbook}, ${crm}, ${now}, ${held} from unnest(${[...begun]}::text[]) id
      on conflict do nothing`.execute(tx)
  }
  if (ended.length > 0) {
    await sql`delete from playbook_standing where playbook = ${playbook} and crm = ${crm}
      and subject_id = any(${[...ended]}::text[])`.execute(tx)
  }
}

/** One start of a playbook. */
export interface PlaybookStart extends PlaybookOf {
  readonly key: string
  readonly subjectId: string
  readonly accountRef: string
  readonly segment: string
  readonly evidenceAt: Date | null
}

/** Notes a start; one that came to nothing gets another try. @returns false when it was started before. */
export async function noteStart(tx: Tx, start: PlaybookStart, now: Date): Promise<boolean> {
  const { key, crm, playbook, subjectId, accountRef, segment, evidenceAt } = start
  const result = await sql`insert into playbook_start
      (key, crm, playbook, subject_id, account_ref, segment, evidence_at, started_at)
    values (${key}, ${crm}, ${playbook}, ${subjectId}, ${accountRef}, ${segment}, ${evidenceAt}, ${now})
    on conflict (key) do update set segment = excluded.segment, started_at = excluded.started_at,
      parked = null where playbook_start.parked is not null`.execute(tx)
  return Number(result.numAffectedRows ?? 0) > 0
}

/**
 * Does the work of a start. When the mapping is at fault nothing of it is kept but why: the start is parked, and
 * those of others go on.
 * @returns null when it was parked.
 */
export async function orParked<T>(
  tx: Tx,
  { key }: Pick<PlaybookStart, 'key'>,
  work: () => Promise<T>,
): Promise<T | null> {
  await sql`savepoint playbook_start`.execute(tx)
  try {
    const result = await work()
    await sql`release savepoint playbook_start`.execute(tx)
    return result
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    await sql`rollback to savepoint playbook_start`.execute(tx)
    await sql`update playbook_start set parked = ${error.message} where key = ${key}`.execute(tx)
    return null
  }
}

/** Which of these starts there were; those that were parked are to be tried again. */
export async function knownStarts(tx: Tx, keys: readonly string[]): Promise<ReadonlySet<string>> {
  if (keys.length === 0) return new Set()
  const rows = await tx
    .selectFrom('playbook_start')
    .select('key')
    .where(sql<boolean>`key = any(${[...keys]}::text[])`)
    .where('parked', 'is', null)
    .execute()
  return new Set(rows.map((row) => row.key))
}

/** When a playbook was started last, by subject. */
export async function lastStarts(
  tx: Tx,
  { crm, playbook }: PlaybookOf,
  subjects: readonly string[],
): Promise<ReadonlyMap<string, Date>> {
  const { rows } = await sql<{ id: string; at: Date }>`
    select subject_id as id, max(started_at) as at from playbook_start
    where subject_id = any(${[...subjects]}::text[]) and playbook = ${playbook} and crm = ${crm}
      and parked is null group by 1`.execute(tx)
  return new Map(rows.map(({ id, at }) => [id, at]))
}

/** Whose turns a segment of a playbook gives. */
export interface TurnsOf extends PlaybookOf {
  readonly segment: string
}

export async function readTurns(db: Db | Tx, turns: TurnsOf): Promise<Credits> {
  const row = await db
    .selectFrom('playbook_turn')
    .select('credits')
    .where('crm', '=', turns.crm)
    .where('playbook', '=', turns.playbook)
    .where('segment', '=', turns.segment)
    .executeTakeFirst()
  return (row?.credits ?? {}) as Credits
}

export async function storeTurns(
  tx: Tx,
  { crm, playbook, segment }: TurnsOf,
  credits: Credits,
): Promise<void> {
  await sql`insert into playbook_turn (crm, playbook, segment, credits)
    values (${crm}, ${playbook}, ${segment}, ${JSON.stringify(credits)}::jsonb)
    on conflict (crm, playbook, segment) do update set credits = excluded.credits`.execute(tx)
}
