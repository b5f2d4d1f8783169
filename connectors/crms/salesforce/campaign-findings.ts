import type { CrmNeeds, Finding } from '../../../src/core/ports/crm-check.ts'
import { describe } from './describe.ts'
import { idOf, runQuery, textOf } from './query.ts'
import { type Session, unlessRefused } from './session.ts'
import { soql } from './soql.ts'

/** Whether the campaigns that playbooks name are there, and may be given members. */
export async function campaignFindings(
  session: Session,
  { groups = [] }: CrmNeeds,
  signal: AbortSignal,
): Promise<Finding[]> {
  if (groups.length === 0) return []
  const about = 'campaigns'
  const member = await unlessRefused(describe(session, 'CampaignMember', signal))
  if (!member?.createable || !member.queryable) {
    const what = 'members of campaigns cannot be read and created by this user'
    const mend =
      'grant Read on campaigns to the user of Ripen and tick Marketing User on it, or take the campaigns out of the playbooks'
    return [{ level: 'error', about, what, mend }]
  }
  const ids = [...new Set(groups.map(({ id }) => id))]
  const query = soql`SELECT Id, Name, IsActive FROM Campaign WHERE Id IN ${ids}`
  const rows = await runQuery(session, query, signal)
  const found = new Map(rows.map((row) => [idOf(row).slice(0, 15), row]))
  return ids.map((id): Finding => {
    const of = { target: id }
    const row = found.get(id.slice(0, 15))
    if (!row) {
      const mend = 'take the id in the address of the campaign’s page in Salesforce'
      return { level: 'error', about, what: `there is no campaign ${id}`, mend, of }
    }
    const name = textOf(row, 'Name') ?? id
    if (row['IsActive'] === true) {
      return { level: 'ok', about, what: `campaign ${name} is there`, mend: null, of }
    }
    const mend = 'tick Active on the campaign, if it still runs'
    return { level: 'warning', about, what: `campaign ${name} is not active`, mend, of }
  })
}
