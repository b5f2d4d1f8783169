import { sql } from 'kysely'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { RunNotes } from '../context.ts'

/** Associates contacts with the company of their account, where that is not noted as done. */
export async function linkCompanies(
  db: Db,
  crm: Crm,
  signal: AbortSignal,
  run: RunNotes,
): Promise<void> {
  const { rows } = await sql<{ ref: string; contact_id: string; company_id: string }>`
    select p.ref, p.crm_id as contact_id, c.crm_id as company_id
    from crm_record p join crm_record c on c.ref = p.company_ref and c.crm = p.crm
    where p.crm = ${crm.name} and p.object = 'contact' and p.state = 'in-sync'
      and p.crm_id is not null and c.crm_id is not null
      and p.company_linked is distinct from c.crm_id
      -- Whom the CRM has under another company is about to belong to that one.
      and not exists (select from crm_contact_company o where o.crm = p.crm and o.ref = p.ref
        and o.domain is not null and o.company_id <> c.crm_id)
    order by p.ref`.execute(db)
  if (rows.length === 0) return
  const pairs = rows.map((row) => ({ contactId: row.contact_id, companyId: row.company_id }))
  const refused = await crm.associate(pairs, signal)
  const linked = rows.filter((row, index) => {
    const reason = refused[index] ?? null
    if (reason !== null)
      run.note({ ref: row.ref, outcome: 'unlinked', reason, correlationId: null })
    return reason === null
  })
  await sql`update crm_record r set company_linked = n.company_id
    from unnest(${linked.map((l) => l.ref)}::text[], ${linked.map((l) => l.company_id)}::text[])
      as n(ref, company_id)
    where r.crm = ${crm.name} and r.ref = n.ref`.execute(db)
  run.count('linked', linked.length)
}
