import { sql } from 'kysely'
import type { Tx } from './database.ts'
import type { InCrm } from './forget-store.ts'
import { type Named, names } from './named-people.ts'

/**
 * Takes people off their deals. A deal that is nobody's then goes, with its stages; the name of one that
 * others have is emptied when it names them.
 * @returns rows by table, and the deals that the CRMs still hold.
 */
export async function removeDeals(
  tx: Tx,
  named: Named,
): Promise<{ readonly rows: Readonly<Record<string, number>>; readonly inCrm: InCrm }> {
  const links = await tx
    .deleteFrom('crm_deal_record')
    .where(sql<boolean>`ref = any(${[...named.ids]}::text[])`)
    .returning(['crm', 'deal_id'])
    .execute()
  const theirs = JSON.stringify(links)
  const { rows: gone } = await sql<{ crm: string; deal_id: string }>`
    delete from crm_deal d using jsonb_to_recordset(${theirs}::jsonb) as n(crm text, deal_id text)
    where d.crm = n.crm and d.deal_id = n.deal_id and not exists (select from crm_deal_record r
      where r.crm = d.crm and r.deal_id = d.deal_id) returning d.crm, d.deal_id`.execute(tx)
  await sql`delete from crm_deal_stage s using jsonb_to_recordset(${JSON.stringify(gone)}::jsonb)
    as n(crm text, deal_id text) where s.crm = n.crm and s.deal_id = n.deal_id`.execute(tx)
  const mentioned = await tx
    .updateTable('crm_deal')
    .set({ name: '' })
    .where(names(named, 'name'))
    .returning(['crm', 'deal_id'])
    .execute()
  const all = new Map([...links, ...mentioned].map((row) => [`${row.crm} ${row.deal_id}`, row]))
  return {
    rows: { crm_deal_record: links.length, crm_deal: gone.length },
    inCrm: [...all.values()].map(({ crm, deal_id: id }) => {
      return { crm, object: 'deal', id, todo: 'mentions' } as const
    }),
  }
}
