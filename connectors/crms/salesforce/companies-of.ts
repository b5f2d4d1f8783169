import type { CrmContactCompany } from '../../../src/core/ports/crm.ts'
import { describe } from './describe.ts'
import { idsOf } from './objects.ts'
import { idOf, literalBytes, parentOf, queriesFor, type Row, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { names, soql } from './soql.ts'
import { domainOf } from './website.ts'

const PARENT = 'Account.'

/** The account that each contact is under, with its domain. Leads are under none. */
export async function readCompaniesOf(
  session: Session,
  contactIds: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, CrmContactCompany>> {
  const ids = idsOf('Contact', contactIds)
  if (ids.length === 0) return new Map()
  const fields = await companyFields(session, signal)
  const queries = queriesFor(ids, literalBytes, (some) => {
    return soql`SELECT ${names(['Id', ...fields])} FROM Contact WHERE Id IN ${some} AND AccountId != null`
  })
  const rows = (await runQueries(session, queries, signal)).flat()
  return new Map(
    rows.flatMap((row): [string, CrmContactCompany][] => {
      const company = companyIn(row, fields)
      return company === null ? [] : [[idOf(row), company]]
    }),
  )
}

/** What of a contact tells its account and the domain of that: domains by field first, best first. */
export async function companyFields(
  session: Session,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const account = await describe(session, 'Account', signal)
  const domainFields = session.rules.domainFields.filter((field) => account.fields.has(field))
  return ['AccountId', ...[...domainFields, 'Website'].map((field) => `${PARENT}${field}`)]
}

/** The account of a contact whose `companyFields` were read; null without one. */
export function companyIn(row: Row, fields: readonly string[]): CrmContactCompany | null {
  const companyId = textOf(row, 'AccountId')
  if (companyId === null) return null
  const parent = parentOf(row, 'Account') ?? {}
  const ofParent = fields.flatMap((field) =>
    field.startsWith(PARENT) ? [field.slice(PARENT.length)] : [],
  )
  const domainFields = ofParent.filter((field) => field !== 'Website')
  const held = domainFields.map((field) => textOf(parent, field)).find((one) => one !== null)
  const domain = held?.toLowerCase() ?? domainOf(textOf(parent, 'Website'))
  return { companyId, domain }
}
