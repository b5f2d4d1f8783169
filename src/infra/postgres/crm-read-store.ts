import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'

/** A CRM record whose fields are due to be read. */
export interface DueRead {
  /** Id of the person or account. */
  readonly ref: string
  readonly crmId: string
  /** Signals since it was read; what comes while it is read asks for another reading. */
  readonly stale: number
  /** How often it was read before. */
  readonly reads: number
  /** Hash of what it said then; null before it was read. */
  readonly before: string | null
}

/** A record that was read, and a hash of what it said. */
export interface DoneRead extends DueRead {
  readonly seen: string
}

/** Which records of a CRM are due. */
export interface DueReads {
  readonly crm: string
  readonly object: CrmObject
  /** Names what is asked for: what was read with another name is due. */
  readonly asked: string
  /** What was read before this is due. */
  readonly before: Date
  readonly limit: number
}

/**
 * Linked records whose fields were not read since, or under another id, or of which something was told
 * since; those first, then what was read longest ago.
 */
export async function dueReads(db: Db, due: DueReads): Promise<readonly DueRead[]> {
  const { rows } = await sql<DueRead>`
    select r.ref, r.crm_id as "crmId", coalesce(d.stale, 0) as stale, coalesce(d.reads, 0) as reads,
      d.seen as before
    from crm_record r left join crm_read d on d.ref = r.ref and d.crm = r.crm
    where r.crm = ${due.crm} and r.object = ${due.object} and r.crm_id is not null
      and (d.ref is null or d.crm_id <> r.crm_id or d.asked <> ${due.asked} or d.stale > 0
        or d.read_at <= ${due.before})
    order by coalesce(d.stale, 0) = 0, d.read_at nulls first, r.ref limit ${due.limit}`.execute(db)
  return rows
}

/** Records that were read before, and of which something was told since; longest ago first. */
export async function staleReads(
  db: Db,
  { crm, object, limit }: Pick<DueReads, 'crm' | 'object' | 'limit'>,
): Promise<readonly DueRead[]> {
  const { rows } = await sql<DueRead>`
    select r.ref, r.crm_id as "crmId", d.stale, d.reads, d.seen as before
    from crm_read d join crm_record r on d.ref = r.ref and d.crm = r.crm
    where d.crm = ${crm} and d.stale > 0 and r.object = ${object} and r.crm_id is not null
    order by d.read_at, r.ref limit ${limit}`.execute(db)
  return rows
}

/**
 * Which of these nobody else has read since they were due: an older answer must not be stored after a
 * newer one. Until the end of the transaction nobody else notes a reading.
 */
export async function stillDue(
  tx: Tx,
  crm: string,
  reads: readonly DueRead[],
): Promise<ReadonlySet<string>> {
  await sql`select pg_advisory_xact_lock(hashtext(${`crm_read ${crm}`}))`.execute(tx)
  const { rows } = await sql<{ ref: string }>`
    select n.ref from jsonb_to_recordset(${JSON.stringify(reads)}::jsonb) as n(ref text, reads bigint)
    left join crm_read d on d.ref = n.ref and d.crm = ${crm}
    where coalesce(d.reads, 0) = n.reads`.execute(tx)
  return new Set(rows.map((row) => row.ref))
}

/** Notes that records were read. */
export async function noteReads(
  tx: Tx,
  { crm, asked }: Pick<DueReads, 'crm' | 'asked'>,
  reads: readonly DoneRead[],
  at: Date,
): Promise<void> {
  await sql`insert into crm_read as d (ref, crm, crm_id, asked, read_at, seen, reads, stale)
    select ref, ${crm}, "crmId", ${asked}, ${at}, seen, 1, stale
    from jsonb_to_recordset(${JSON.stringify(reads)}::jsonb)
      as n(ref text, "crmId" text, seen text, stale bigint)
    on conflict (ref, crm) do update set crm_id = excluded.crm_id, asked = excluded.asked,
      read_at = excluded.read_at, seen = excluded.seen, reads = d.reads + 1,
      stale = greatest(0, d.stale - excluded.stale)`.execute(tx)
}

/**
 * Notes that records are not there any more: they are looked for anew, and made anew where the mapping says
 * so.
 * @returns how many.
 */
export async function noteGone(tx: Tx, crm: string, gone: readonly DueRead[]): Promise<number> {
  if (gone.length === 0) return 0
  const table = sql`jsonb_to_recordset(${JSON.stringify(gone)}::jsonb) as n(ref text, "crmId" text)`
  const { rows } = await sql<{ ref: string }>`
    update crm_record r set crm_id = null, written = null, changed_at = now(), deleted_at = now(),
      ledger = '{}', turn = r.turn + 1,
      state = case when r.state = 'writing' then 'writing' else 'pending' end
    from ${table} where r.crm = ${crm} and r.ref = n.ref and r.crm_id = n."crmId"
    returning r.ref`.execute(tx)
  const refs = rows.map((row) => row.ref)
  await sql`delete from crm_read where crm = ${crm} and ref = any(${refs}::text[])`.execute(tx)
  return refs.length
}

/** A person's or account's record, and the id that it has now. */
export type MovedRecord = Pick<DueRead, 'ref' | 'crmId'>

/**
 * Notes under which id a record lies since it was merged into another; what it says is read and written
 * anew. An id that is another person's or account's already is left alone.
 * @returns those that were moved.
 */
export async function noteMoved(
  tx: Tx,
  crm: string,
  object: CrmObject,
  moved: readonly MovedRecord[],
): Promise<readonly MovedRecord[]> {
  if (moved.length === 0) return []
  const { rows } = await sql<{ ref: string; crm_id: string }>`
    update crm_record r set crm_id = n."crmId", written = null, changed_at = now(), deleted_at = null,
      turn = r.turn + 1,
      state = case when r.state = 'writing' then 'writing' else 'pending' end
    from jsonb_to_recordset(${JSON.stringify(moved)}::jsonb) as n(ref text, "crmId" text)
    where r.crm = ${crm} and r.ref = n.ref and not exists (select from crm_record o
      where o.crm = r.crm and o.object = ${object} and o.crm_id = n."crmId" and o.ref <> r.ref)
    returning r.ref, r.crm_id`.execute(tx)
  return rows.map((row) => ({ ref: row.ref, crmId: row.crm_id }))
}

/** Whose a record is; null when it is nobody's. */
export interface SeenOwner extends MovedRecord {
  readonly ownerId: string | null
}

export async function noteOwners(tx: Tx, crm: string, seen: readonly SeenOwner[]): Promise<void> {
  if (seen.length === 0) return
  await sql`update crm_record r set owner_id = n."ownerId"
    from jsonb_to_recordset(${JSON.stringify(seen)}::jsonb) as n(ref text, "crmId" text, "ownerId" text)
    where r.crm = ${crm} and r.ref = n.ref and r.crm_id = n."crmId"
      and r.owner_id is distinct from n."ownerId"`.execute(tx)
}
