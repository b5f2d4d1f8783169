import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'

/** A CRM record whose fields are due to be read. */
export interface DueRead {
  /** Id of the person or account. */
  readonly ref: string
  readonly crmId: string
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

/** Linked records whose fields were not read since, or under another id; longest ago first. */
export async function dueReads(db: Db, due: DueReads): Promise<readonly DueRead[]> {
  const { rows } = await sql<{ ref: string; crm_id: string }>`
    select r.ref, r.crm_id from crm_record r
    left join crm_read d on d.ref = r.ref and d.crm = r.crm
    where r.crm = ${due.crm} and r.object = ${due.object} and r.crm_id is not null
      and (d.ref is null or d.crm_id <> r.crm_id or d.asked <> ${due.asked}
        or d.read_at <= ${due.before})
    order by d.read_at nulls first, r.ref limit ${due.limit}`.execute(db)
  return rows.map((row) => ({ ref: row.ref, crmId: row.crm_id }))
}

/** Notes that records were read. */
export async function noteReads(
  tx: Tx,
  { crm, asked }: Pick<DueReads, 'crm' | 'asked'>,
  reads: readonly DueRead[],
  at: Date,
): Promise<void> {
  await sql`insert into crm_read (ref, crm, crm_id, asked, read_at)
    select ref, ${crm}, "crmId", ${asked}, ${at}
    from jsonb_to_recordset(${JSON.stringify(reads)}::jsonb) as n(ref text, "crmId" text)
    on conflict (ref, crm) do update set crm_id = excluded.crm_id, asked = excluded.asked,
      read_at = excluded.read_at`.execute(tx)
}

/**
 * Notes under which id a record lies since it was merged into another; what it says is read and written
 * anew. An id that is another person's or account's already is left alone.
 * @returns those that were moved.
 */
export async function noteMoved(
  tx: Tx,
  crm: string,
  object: CrmObject,
  moved: readonly DueRead[],
): Promise<readonly DueRead[]> {
  if (moved.length === 0) return []
  const { rows } = await sql<{ ref: string; crm_id: string }>`
    update crm_record r set crm_id = n."crmId", written = null, changed_at = now(),
      state = case when r.state = 'writing' then 'writing' else 'pending' end
    from jsonb_to_recordset(${JSON.stringify(moved)}::jsonb) as n(ref text, "crmId" text)
    where r.crm = ${crm} and r.ref = n.ref and not exists (select from crm_record o
      where o.crm = r.crm and o.object = ${object} and o.crm_id = n."crmId" and o.ref <> r.ref)
    returning r.ref, r.crm_id`.execute(tx)
  return rows.map((row) => ({ ref: row.ref, crmId: row.crm_id }))
}
