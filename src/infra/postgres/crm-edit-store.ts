import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import type { EditOutcome } from './tables.ts'

/** Somebody else gave another value to a property of ours. */
export interface NotedEdit {
  readonly ref: string
  readonly property: string
  readonly outcome: EditOutcome
}

const KEPT_DAYS = 90

/** Notes what somebody else did to values of ours, and what becomes of it. */
export async function noteEdits(
  db: Db | Tx,
  crm: string,
  edits: readonly NotedEdit[],
  at: Date,
): Promise<void> {
  if (edits.length === 0) return
  // Who was forgotten meanwhile has no record any more.
  await sql`insert into crm_edit (ref, crm, property, seen_at, outcome)
    select n.ref, ${crm}, n.property, ${at}, n.outcome
    from jsonb_to_recordset(${JSON.stringify(edits)}::jsonb) as n(ref text, property text, outcome text)
    join crm_record r on r.ref = n.ref and r.crm = ${crm}`.execute(db)
}

/** Forgets edits of long ago. */
export async function forgetEdits(db: Db, now: Date): Promise<void> {
  await sql`delete from crm_edit
    where seen_at < ${now}::timestamptz - ${KEPT_DAYS} * interval '1 day'`.execute(db)
}
