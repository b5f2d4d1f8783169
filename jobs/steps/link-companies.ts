import { sql } from 'kysely'
import type { Crm } from '../../src/core/ports/crm.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { RunNotes } from '../context.ts'
import { eachInFlight } from '../in-flight.ts'

/** Pairs that are looked up and noted together. */
const SLICE = 500
const SLICES_AT_ONCE = 4

interface Pair {
  readonly ref: string
  readonly contact_id: string
  readonly company_id: string
}

/** Associates contacts with the company of their account, where that is not noted as done. */
export async function linkCompanies(
  db: Db,
  crm: Crm,
  signal: AbortSignal,
  run: RunNotes,
): Promise<void> {
  // In other CRMs a contact may be under several.
  const linked = crm.writesUnderCompany ? await noteLinked(db, crm.name) : 0
  if (linked > 0) run.count('linked', linked)
  await eachInFlight(slices(db, crm), SLICES_AT_ONCE, (rows) =>
    linkSome(db, crm, rows, signal, run),
  )
}

/** What the CRM itself was seen to say needs no call. @returns how many contacts are where they should be. */
async function noteLinked(db: Db, crm: string): Promise<number> {
  const { numAffectedRows = 0n } = await sql`update crm_record p set company_linked = o.company_id
    from crm_contact_company o, crm_record c
    where p.crm = ${crm} and p.object = 'contact' and p.state = 'in-sync' and p.crm_id is not null
      and o.crm = p.crm and o.ref = p.ref and c.crm = p.crm and c.ref = p.company_ref
      and o.company_id = c.crm_id and p.company_linked is distinct from c.crm_id`.execute(db)
  return Number(numAffectedRows)
}

async function* slices(db: Db, crm: Crm): AsyncGenerator<readonly Pair[]> {
  let after = ''
  for (;;) {
    const { rows } = await sql<Pair>`
      select p.ref, p.crm_id as contact_id, c.crm_id as company_id
      from crm_record p
      -- By its key, whatever the planner believes: before the first sync no record has a CRM id, and by
      -- statistics of that time every contact was held against every company.
      cross join lateral (select a.crm_id from crm_record a
        where a.ref = p.company_ref and a.crm = p.crm offset 0) c
      where p.crm = ${crm.name} and p.object = 'contact' and p.state = 'in-sync'
        and p.crm_id is not null and c.crm_id is not null and p.ref > ${after}
        and p.company_linked is distinct from c.crm_id
        -- Whom the CRM has under another company is about to belong to that one.
        and not exists (select from crm_contact_company o where o.crm = p.crm and o.ref = p.ref
          and o.domain is not null and o.company_id <> c.crm_id)
      order by p.ref limit ${SLICE}`.execute(db)
    const last = rows.at(-1)
    if (last === undefined) return
    yield rows
    if (rows.length < SLICE) return
    after = last.ref
  }
}

async function linkSome(
  db: Db,
  crm: Crm,
  rows: readonly Pair[],
  signal: AbortSignal,
  run: RunNotes,
): Promise<void> {
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
