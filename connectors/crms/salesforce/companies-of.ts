import type { CrmContactCompany } from '../../../src/core/ports/crm.ts'
import { describe } from './describe.ts'
import { idsOf } from './objects.ts'
import { idOf, literalBytes, parentOf, queriesFor, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { names, soql } from './soql.ts'
import { domainOf } from './website.ts'

/** The account that each contact is under, with its domain. Leads are under none. */
export async function readCompaniesOf(
  session: Session,
  contactIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CrmContactCompany>> {
  const ids = idsOf('Contact', contactIds)
  if (ids.length === 0) return new Map()
  const account = await describe(session, 'Account', signal)
  const domainFields = session.rules.domainFields.filter((field) => account.fields.has(field))
  const fields = ['Website', ...domainFields].map((field) => `Account.${field}`)
  const queries = queriesFor(ids, literalBytes, (some) => {
    return soql`SELECT ${names(['Id', 'AccountId', ...fields])} FROM Contact WHERE Id IN ${some} AND AccountId != null`
  })
  const rows = (await runQueries(session, queries, signal)).flat()
  return new Map(
    rows.flatMap((row): [string, CrmContactCompany][] => {
      const companyId = textOf(row, 'AccountId')
      if (companyId === null) return []
      const parent = parentOf(row, 'Account') ?? {}
      const held = domainFields.map((field) => textOf(parent, field)).find((one) => one !== null)
      const domain = held?.toLowerCase() ?? domainOf(textOf(parent, 'Website'))
      return [[idOf(row), { companyId, domain }]]
    }),
  )
}
