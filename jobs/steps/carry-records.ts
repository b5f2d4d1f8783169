import { sql } from 'kysely'
import { dealsSource, dispositionSource, tasksSource } from '../../src/core/scoring/told-by.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'

/**
 * The CRM record of a person who was merged away goes to the one who stands for her now, and that of
 * an account to the one that has its domain now, unless that one has a record of its own. What the CRM
 * said goes with its record. What it says by a record that stays behind is found by the old id, of people.
 */
export async function carryRecordsOn(
  tx: Tx,
  heirs: readonly { readonly id: string; readonly heir: string }[],
): Promise<void> {
  for (const { id, heir } of heirs) {
    const { rows } = await sql<{ crm: string }>`with gone as (
        delete from crm_record r where r.ref = ${id} and r.crm_id is not null and not exists
          (select from crm_record o where o.ref = ${heir} and o.crm = r.crm and o.crm_id is not null)
        returning *)
      insert into crm_record (ref, crm, object, crm_id, owner_id, may_create, lookup, desired,
        desired_on_create, state, company_ref, company_linked, created, ledger)
      select ${heir}, crm, object, crm_id, owner_id, may_create, lookup, desired,
        desired_on_create, 'pending', company_ref, company_linked, created, ledger from gone
      on conflict (ref, crm) do update set crm_id = excluded.crm_id, owner_id = excluded.owner_id,
        company_linked = excluded.company_linked, created = excluded.created, written = null,
        ledger = excluded.ledger, turn = crm_record.turn + 1, state = 'pending'
      returning crm`.execute(tx)
    if (rows.length > 0)
      await carrySayings(
        tx,
        id,
        heir,
        rows.map((row) => row.crm),
      )
  }
}

async function carrySayings(
  tx: Tx,
  id: string,
  heir: string,
  crms: readonly string[],
): Promise<void> {
  const carried = sql`any(${[...crms]}::text[])`
  const origins = [...crms, ...crms.map(dealsSource), ...crms.map(tasksSource)]
  await sql`update trait set about = ${heir} where about = ${id}
    and origin = any(${origins}::text[])`.execute(tx)
  const sources = [...crms, ...crms.map(dealsSource), ...crms.map(dispositionSource)]
  await sql`update sales_state s set about = ${heir} where about = ${id}
    and source = any(${sources}::text[]) and not exists (select from sales_state o where o.about = ${heir} and o.source = s.source)`.execute(
    tx,
  )
  await sql`update sales_word set about = ${heir}
    where about = ${id} and source = any(${sources}::text[])`.execute(tx)
  await sql`delete from crm_read where ref = ${id} and crm = ${carried}`.execute(tx)
  await carryOutcomes(tx, id, heir, crms)
}

/** Deals, first contacts and tasks go with the record; deals are read anew under the other id. */
async function carryOutcomes(
  tx: Tx,
  id: string,
  heir: string,
  crms: readonly string[],
): Promise<void> {
  const carried = sql`any(${[...crms]}::text[])`
  await sql`insert into crm_deal_record (ref, crm, deal_id)
    select ${heir}, crm, deal_id from crm_deal_record where ref = ${id} and crm = ${carried}
    on conflict do nothing`.execute(tx)
  await sql`delete from crm_deal_record where ref = ${id} and crm = ${carried}`.execute(tx)
  await sql`insert into first_contact (ref, crm, qualified_at, at, kind, owner_id, engagement_id, seen_at)
    select ${heir}, crm, qualified_at, at, kind, owner_id, engagement_id, seen_at
    from first_contact where ref = ${id} and crm = ${carried} on conflict do nothing`.execute(tx)
  await sql`delete from first_contact where ref = ${id} and crm = ${carried}`.execute(tx)
  await sql`delete from crm_look where ref = ${id} and crm = ${carried}`.execute(tx)
  await sql`update task_intent set account_ref = ${heir}
    where account_ref = ${id} and crm = ${carried}`.execute(tx)
  await sql`update crm_action set ref = ${heir}
    where ref = ${id} and crm = ${carried} and state = 'planned'`.execute(tx)
}
