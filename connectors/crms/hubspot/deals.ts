import type { CrmAbout, CrmDeal, CrmDealStage, CrmDealState } from '../../../src/core/ports/crm.ts'
import { type Pipelines, readPipelines } from './pipelines.ts'
import { fromIdsByTo, readAssociations } from './read-associations.ts'
import { readRecords } from './records.ts'
import type { Session } from './session.ts'
import { readInstant } from './wire-instant.ts'
import type { HubspotRecord } from './wire-shapes.ts'

const PROPERTIES = [
  'dealname',
  'pipeline',
  'dealstage',
  'amount',
  'deal_currency_code',
  'createdate',
  'closedate',
  'hubspot_owner_id',
  'hs_is_closed',
  'hs_is_closed_won',
] as const

/** Deals of contacts and companies, with the stages that they have been in. */
export async function readDealsOf(
  session: Session,
  about: CrmAbout,
  signal: AbortSignal,
): Promise<CrmDeal[]> {
  const { contactIds, companyIds } = about
  const ofContacts = await readAssociations(session, 'contacts', 'deals', contactIds, signal)
  const ofCompanies = await readAssociations(session, 'companies', 'deals', companyIds, signal)
  const ids = [...ofContacts, ...ofCompanies].map(({ toId }) => toId)
  if (ids.length === 0) return []
  const read = { object: 'deals', ids, properties: PROPERTIES, withHistory: ['dealstage'] } as const
  const records = await readRecords(session, read, signal)
  const pipelines = await readPipelines(session, signal)
  const [contacts, companies] = [fromIdsByTo(ofContacts), fromIdsByTo(ofCompanies)]
  return records.map((record) => ({
    ...toDeal(record, pipelines),
    contactIds: contacts.get(record.id) ?? [],
    companyIds: companies.get(record.id) ?? [],
  }))
}

function toDeal(
  record: HubspotRecord,
  pipelines: Pipelines,
): Omit<CrmDeal, 'contactIds' | 'companyIds'> {
  const { id, properties } = record
  const amount = Number.parseFloat(properties['amount'] ?? '')
  const createdAt = readInstant(properties['createdate']) ?? readInstant(record.createdAt)
  return {
    id,
    name: properties['dealname'] ?? '',
    pipeline: properties['pipeline'] ?? '',
    stages: stagesOf(record, pipelines, createdAt ?? new Date(0).toISOString()),
    amount: Number.isFinite(amount) ? amount : null,
    currency: properties['deal_currency_code'] || null,
    ownerId: properties['hubspot_owner_id'] || null,
    createdAt: createdAt ?? new Date(0).toISOString(),
    closeAt: readInstant(properties['closedate']),
  }
}

/** In the order of time. A deal whose past is not told is in its stage since it was made or closed. */
function stagesOf(
  { properties, propertiesWithHistory }: HubspotRecord,
  pipelines: Pipelines,
  createdAt: string,
): CrmDealStage[] {
  const current = properties['dealstage'] ?? ''
  const toldNow = stateToldBy(properties)
  const told = propertiesWithHistory?.['dealstage'] ?? []
  // HubSpot tells the newest first: turned around, what happened at one instant keeps its order.
  const past = told.toReversed().flatMap(({ value, timestamp }) => {
    const at = readInstant(timestamp)
    return value && at !== null ? [{ stage: value, at }] : []
  })
  past.sort((a, b) => Date.parse(a.at) - Date.parse(b.at))
  const sinceClosed = toldNow !== null && toldNow !== 'open' && readInstant(properties['closedate'])
  if (past.at(-1)?.stage !== current) past.push({ stage: current, at: sinceClosed || createdAt })
  return past.map(({ stage, at }, index) => {
    const known = pipelines.get(stage)
    const isNow = index === past.length - 1
    return {
      pipeline: known?.pipeline ?? properties['pipeline'] ?? '',
      stage,
      label: known?.label ?? stage,
      state: known?.state ?? (isNow ? (toldNow ?? 'open') : 'open'),
      at,
    }
  })
}

/** What the deal itself says, for stages that nobody knows any more. */
function stateToldBy(properties: HubspotRecord['properties']): CrmDealState | null {
  if (properties['hs_is_closed_won'] === 'true') return 'won'
  if (properties['hs_is_closed'] === 'true') return 'lost'
  return properties['hs_is_closed'] === 'false' ? 'open' : null
}
