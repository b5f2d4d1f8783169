import { sql } from 'kysely'
import type { ChangedObject, CrmObject } from '../../core/ports/crm.ts'
import type { Properties } from '../../core/sync/desired-record.ts'
import type { Db, Tx } from './database.ts'
import { requestWork } from './work.ts'

/** One question to the changes of one object of a CRM. */
export interface Followed {
  readonly crm: string
  readonly object: ChangedObject
  /** Names what is asked of a record: another question begins anew. */
  readonly asked: string
}

/** How far the changes were followed. */
export interface FollowedTo {
  readonly cursor: string | null
  /** Null while a pass is not at its end. */
  readonly polledAt: Date | null
  /** Whoever looked before this instant looks again at it; null when one look is enough. */
  readonly againAt: Date | null
}

export async function readFollowed(db: Db, followed: Followed): Promise<FollowedTo | null> {
  const row = await db
    .selectFrom('crm_cursor')
    .select(['cursor', 'polled_at', 'again_at'])
    .where('crm', '=', followed.crm)
    .where('object', '=', followed.object)
    .where('asked', '=', followed.asked)
    .executeTakeFirst()
  if (!row) return null
  return { cursor: row.cursor, polledAt: row.polled_at, againAt: row.again_at }
}

/** Remembers how far it is; cursors of questions that nobody asks any more go. */
export async function storeFollowed(
  tx: Tx,
  followed: Followed,
  to: Omit<FollowedTo, 'againAt'>,
): Promise<void> {
  const { crm, object, asked } = followed
  await tx
    .deleteFrom('crm_cursor')
    .where('crm', '=', crm)
    .where('object', '=', object)
    .where('asked', '<>', asked)
    .execute()
  const values = { cursor: to.cursor, polled_at: to.polledAt }
  await tx
    .insertInto('crm_cursor')
    .values({ ...followed, ...values })
    .onConflict((c) => c.columns(['crm', 'object', 'asked']).doUpdateSet(values))
    .execute()
}

/** What is known of a record that is said to have changed. */
export interface KnownRecord {
  readonly ref: string
  readonly crmId: string
  /** Null when it was not read yet, or not for this question: it is due anyway. */
  readonly seen: string | null
  /** What its properties of ours are known to say; null before the first write. */
  readonly says: Properties | null
}

/** Which of these records are ours, and what they said when they were read last. */
export async function knownRecords(
  db: Db | Tx,
  { crm, object, asked }: Followed,
  crmIds: readonly string[],
): Promise<readonly KnownRecord[]> {
  const { rows } = await sql<KnownRecord>`
    select r.ref, r.crm_id as "crmId", r.written as says, case when d.asked = ${asked} then coalesce(d.seen, '') end as seen
    from crm_record r left join crm_read d on d.ref = r.ref and d.crm = r.crm and d.crm_id = r.crm_id
    where r.crm = ${crm} and r.object = ${object} and r.crm_id = any(${[...crmIds]}::text[])`.execute(
    db,
  )
  return rows
}

/** Which records a signal is about. */
export interface Told {
  readonly crm: string
  readonly object: CrmObject
}

/**
 * Notes that something was told of these records, under the ids that they have or had: they are read again.
 * @returns the ids of people and accounts that this is about; of others nobody knows anything.
 */
export async function markStale(
  tx: Tx,
  { crm, object }: Told,
  crmIds: readonly string[],
): Promise<readonly string[]> {
  if (crmIds.length === 0) return []
  const ids = sql`any(${[...new Set(crmIds)]}::text[])`
  const { rows } = await sql<{ ref: string }>`
    with told as (
      select ref from crm_record where crm = ${crm} and object = ${object} and crm_id = ${ids}
      union select ref from crm_former where crm = ${crm} and object = ${object} and crm_id = ${ids}),
    marked as (update crm_read d set stale = d.stale + 1 from told t
      where d.crm = ${crm} and d.ref = t.ref)
    select ref from told`.execute(tx)
  return rows.map((row) => row.ref)
}

/** Marks records by our ids; what has no reading yet is due anyway. */
export async function markRefsStale(
  tx: Tx,
  { crm, object }: Told,
  refs: readonly string[],
): Promise<void> {
  if (refs.length === 0) return
  await sql`update crm_read d set stale = d.stale + 1 from crm_record r
    where d.crm = ${crm} and r.crm = d.crm and r.ref = d.ref and r.object = ${object}
      and d.ref = any(${[...refs]}::text[])`.execute(tx)
}

/** Marks all records of one object; for when the CRM cannot tell any more which of them were changed. */
export async function markAllStale(tx: Tx, { crm, object }: Told): Promise<void> {
  await sql`update crm_read d set stale = d.stale + 1 from crm_record r
    where d.crm = ${crm} and r.crm = d.crm and r.ref = d.ref and r.object = ${object}`.execute(tx)
}

/** What may tell that a record which turned up is one that we look for. */
export interface TurnedUp {
  /** Values of our own key. */
  readonly keys: readonly string[]
  /** E-mail addresses or domains. */
  readonly names: readonly string[]
}

/** True when some record was looked for in vain. */
export async function anyMissed(db: Db, { crm, object }: Told): Promise<boolean> {
  const row = await db
    .selectFrom('crm_record')
    .select('ref')
    .where('crm', '=', crm)
    .where('object', '=', object)
    .where('crm_id', 'is', null)
    .limit(1)
    .executeTakeFirst()
  return row !== undefined
}

/**
 * Looks again for records of ours that the CRM did not have, and asks for it.
 * @returns how many.
 */
export async function lookAgain(
  tx: Tx,
  { crm, object }: Told,
  { keys, names }: TurnedUp,
): Promise<number> {
  const named = sql`${[...names]}::text[]`
  const result = await sql`update crm_record set state = 'pending', changed_at = now()
    where crm = ${crm} and object = ${object} and crm_id is null and state in ('pending', 'unlinked')
      and (ref = any(${[...keys]}::text[])
        or lookup -> 'emails' ?| ${named} or lookup -> 'domains' ?| ${named})`.execute(tx)
  const found = Number(result.numAffectedRows ?? 0)
  if (found > 0) await requestWork(tx, 'reconcile', crm)
  return found
}

/** Looks again under which company the CRM has these contacts, and asks for it. */
export async function lookAtCompanies(
  tx: Tx,
  crm: string,
  contactIds: readonly string[],
): Promise<void> {
  const result =
    await sql`update crm_contact_company c set seen_at = to_timestamp(0) from crm_record r
    where c.crm = ${crm} and r.crm = c.crm and r.ref = c.ref and r.object = 'contact'
      and r.crm_id = any(${[...contactIds]}::text[])`.execute(tx)
  if (Number(result.numAffectedRows ?? 0) > 0) await requestWork(tx, 'reconcile', crm)
}

/**
 * Whoever follows this object looks at once, not when the next look is due, and once more at an instant from which
 * on all that happened until now is told.
 */
export async function pollTwice(
  tx: Tx,
  crm: string,
  object: ChangedObject,
  again: Date,
): Promise<void> {
  await tx
    .updateTable('crm_cursor')
    .set({ polled_at: null, again_at: again })
    .where('crm', '=', crm)
    .where('object', '=', object)
    .execute()
}
