import { sql } from 'kysely'
import type { CrmWrite, WriteOutcome } from '../../src/core/ports/crm.ts'
import type { Located } from './locate.ts'
import type { ReconcileScope } from './reconcile-scope.ts'
import { noteCompanies } from './see-companies.ts'

/** Notes under which companies contacts were found, where the look-up told: nobody has to ask for it again. */
export async function noteFoundCompanies(
  { context, crm, run }: ReconcileScope,
  located: readonly Located[],
): Promise<void> {
  const seen = located.flatMap(({ row, company }) => {
    if (company === undefined) return []
    const { companyId, domain } = company ?? { companyId: null, domain: null }
    return [{ ref: row.ref, companyId, domain }]
  })
  if (seen.length > 0) await noteCompanies(context.db, crm.name, seen, context.clock(), run)
}

/** Notes which contacts a write has put under their company: that is done then. */
export async function noteUnder(
  { context, crm, run }: ReconcileScope,
  writes: readonly CrmWrite[],
  outcomes: readonly WriteOutcome[],
): Promise<void> {
  const put = writes.filter((_, index) => {
    const outcome = outcomes[index]
    return outcome?.kind === 'written' && outcome.isUnder === true
  })
  if (put.length === 0) return
  await sql`update crm_record r set company_linked = n.company_id
    from unnest(${put.map(({ ref }) => ref)}::text[], ${put.map((one) => one.companyId ?? null)}::text[])
      as n(ref, company_id)
    where r.crm = ${crm.name} and r.ref = n.ref`.execute(context.db)
  run.count('linked', put.length)
}
