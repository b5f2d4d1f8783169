import { sql } from 'kysely'
import type { Properties } from '../../core/sync/desired-record.ts'
import type { Ledger } from '../../core/sync/ledger.ts'
import type { Told } from './crm-change-store.ts'
import type { MovedRecord } from './crm-read-store.ts'
import { type CrmRecordRow, recordsOf } from './crm-record-store.ts'
import type { Db, Tx } from './database.ts'

/** What a record was found to say. */
export interface SeenRecord {
  readonly ref: string
  readonly seen: Properties
  readonly ledger: Ledger
  /** It is to be written. */
  readonly isOpen: boolean
  /** When something that waits is to be written. */
  readonly dueAt: Date | null
}

/** What a record is known to say in properties of ours. */
export type SayingRecord = Pick<CrmRecordRow, 'ledger'> & { readonly says: Properties | null }

/** What records are known to say, by their ids in the CRM; of those that are being written nothing is known. */
export async function recordsSaying(
  tx: Tx,
  { crm, object }: Told,
  crmIds: readonly string[],
): Promise<ReadonlyMap<string, SayingRecord>> {
  if (crmIds.length === 0) return new Map()
  const { rows } = await sql<SayingRecord & { crmId: string }>`
    select crm_id as "crmId", written as says, ledger from crm_record
    where crm = ${crm} and object = ${object} and state <> 'writing'
      and crm_id = any(${[...crmIds]}::text[])`.execute(tx)
  return new Map(rows.map(({ crmId, ...row }) => [crmId, row]))
}

/** How often each record was written or found otherwise; to be asked before it is read. */
export async function readTurns(
  db: Db,
  crm: string,
  refs: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ ref: string; turn: number }>`
    select ref, turn from crm_record
    where crm = ${crm} and state <> 'writing' and ref = any(${[...refs]}::text[])`.execute(db)
  return new Map(rows.map(({ ref, turn }) => [ref, turn]))
}

/** The records that still lie under these ids; until the end of the transaction nobody else changes them. */
export async function turnsHeld(
  tx: Tx,
  crm: string,
  reads: readonly MovedRecord[],
): Promise<ReadonlyMap<string, CrmRecordRow>> {
  const refs = reads.map(({ ref }) => ref)
  await sql`select from crm_record where crm = ${crm} and ref = any(${refs}::text[])
    order by ref for update`.execute(tx)
  const rows = await recordsOf(tx, crm, refs)
  const ids = new Map(reads.map(({ ref, crmId }) => [ref, crmId]))
  return new Map([...rows].filter(([ref, row]) => row.crmId === ids.get(ref)))
}

/** Stores what records were found to say. */
export async function storeSeen(tx: Tx, crm: string, seen: readonly SeenRecord[]): Promise<void> {
  if (seen.length === 0) return
  await sql`update crm_record r set written = n.seen, ledger = n.ledger, turn = r.turn + 1,
      due_at = case when n."isOpen" then null else n."dueAt" end,
      state = case when n."isOpen" and r.state = 'in-sync' then 'pending' else r.state end,
      changed_at = case when n."isOpen" and r.state = 'in-sync' then now() else r.changed_at end
    from jsonb_to_recordset(${JSON.stringify(seen)}::jsonb)
      as n(ref text, seen jsonb, ledger jsonb, "isOpen" boolean, "dueAt" timestamptz)
    where r.crm = ${crm} and r.ref = n.ref`.execute(tx)
}
