import type { CrmAbout, CrmDeal, CrmDealStage, CrmDealState } from '../../../src/core/ports/crm.ts'
import { describe } from './describe.ts'
import { idsOf } from './objects.ts'
import { idOf, literalBytes, queriesFor, type Row, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { names, soql } from './soql.ts'
import { readInstant } from './wire-instant.ts'

const FIELDS = [
  'Id',
  'Name',
  'StageName',
  'Amount',
  'CloseDate',
  'CreatedDate',
  'OwnerId',
  'AccountId',
  'IsWon',
  'IsClosed',
  'LastStageChangeDate',
] as const
/** Only where the org has several. */
const OPTIONAL = ['CurrencyIsoCode', 'RecordTypeId']
const STAGES = soql`SELECT ApiName, MasterLabel, IsClosed, IsWon FROM OpportunityStage`

/** Salesforce has no pipelines: what an org uses instead are record types, else there is one. */
const ONE_PIPELINE = 'opportunities'

/** Opportunities of contacts (by their roles) and accounts, with the stages that they have been in. */
export async function readDealsOf(
  session: Session,
  about: CrmAbout,
  signal: AbortSignal,
): Promise<CrmDeal[]> {
  const contactIds = idsOf('Contact', about.contactIds)
  const companyIds = idsOf('Account', about.companyIds)
  if (contactIds.length === 0 && companyIds.length === 0) return []
  const { fields } = await describe(session, 'Opportunity', signal)
  const wanted = [...FIELDS, ...OPTIONAL].filter((field) => fields.has(field))
  const roleQueries = queriesFor(contactIds, literalBytes, (some) => {
    return soql`SELECT OpportunityId, ContactId FROM OpportunityContactRole WHERE ContactId IN ${some}`
  })
  const ofAccounts = queriesFor(companyIds, literalBytes, (some) => {
    return soql`SELECT ${names(wanted)} FROM Opportunity WHERE AccountId IN ${some}`
  })
  const first = await runQueries(session, [...roleQueries, ...ofAccounts], signal)
  const roles = first.slice(0, roleQueries.length).flat()
  const found = new Map(
    first
      .slice(roleQueries.length)
      .flat()
      .map((row) => [idOf(row), row]),
  )
  const others = distinct(roles, 'OpportunityId').filter((id) => !found.has(id))
  const more = queriesFor(others, literalBytes, (some) => {
    return soql`SELECT ${names(wanted)} FROM Opportunity WHERE Id IN ${some}`
  })
  for (const row of (await runQueries(session, more, signal)).flat()) found.set(idOf(row), row)
  if (found.size === 0) return []
  const history = queriesFor([...found.keys()], literalBytes, (some) => {
    return soql`SELECT OpportunityId, StageName, CreatedDate FROM OpportunityHistory WHERE OpportunityId IN ${some} ORDER BY CreatedDate, Id`
  })
  const told = await runQueries(session, [STAGES, ...history], signal)
  const stages = stagesByName(told[0] ?? [])
  const past = told.slice(1).flat()
  return [...found.values()].map((row) => {
    const id = idOf(row)
    const accountId = textOf(row, 'AccountId')
    const ofDeal = roles.filter((role) => textOf(role, 'OpportunityId') === id)
    return {
      ...toDeal(
        row,
        past.filter((one) => textOf(one, 'OpportunityId') === id),
        stages,
      ),
      contactIds: distinct(ofDeal, 'ContactId'),
      companyIds: companyIds.filter((one) => one === accountId),
    }
  })
}

interface Stage {
  readonly label: string
  readonly state: CrmDealState
}

function stagesByName(rows: readonly Row[]): Map<string, Stage> {
  return new Map(
    rows.map((row) => {
      const name = textOf(row, 'ApiName') ?? textOf(row, 'MasterLabel') ?? ''
      return [name, { label: textOf(row, 'MasterLabel') ?? name, state: stateOf(row) }]
    }),
  )
}

function stateOf(row: Row): CrmDealState {
  if (row['IsWon'] === true) return 'won'
  return row['IsClosed'] === true ? 'lost' : 'open'
}

function toDeal(
  row: Row,
  past: readonly Row[],
  stages: ReadonlyMap<string, Stage>,
): Omit<CrmDeal, 'contactIds' | 'companyIds'> {
  const amount = row['Amount']
  const createdAt = readInstant(textOf(row, 'CreatedDate')) ?? new Date(0).toISOString()
  const pipeline = textOf(row, 'RecordTypeId') ?? ONE_PIPELINE
  return {
    pipeline,
    createdAt,
    id: idOf(row),
    name: textOf(row, 'Name') ?? '',
    stages: stagesOf(row, past, stages, { pipeline, createdAt }),
    amount: typeof amount === 'number' ? amount : null,
    currency: textOf(row, 'CurrencyIsoCode'),
    ownerId: textOf(row, 'OwnerId'),
    closeAt: readInstant(textOf(row, 'CloseDate')),
  }
}

/**
 * In the order of time. Salesforce notes a deal whenever its stage, amount or closing date is changed: only
 * changes of the stage count. Where the past is not told, the deal is in its stage since the last change.
 */
function stagesOf(
  row: Row,
  past: readonly Row[],
  stages: ReadonlyMap<string, Stage>,
  { pipeline, createdAt }: { readonly pipeline: string; readonly createdAt: string },
): CrmDealStage[] {
  const current = textOf(row, 'StageName') ?? ''
  const entered: { stage: string; at: string }[] = []
  for (const one of past) {
    const stage = textOf(one, 'StageName')
    const at = readInstant(textOf(one, 'CreatedDate'))
    if (stage !== null && at !== null && stage !== entered.at(-1)?.stage)
      entered.push({ stage, at })
  }
  if (entered.at(-1)?.stage !== current) {
    const at = readInstant(textOf(row, 'LastStageChangeDate')) ?? createdAt
    entered.push({ stage: current, at })
  }
  return entered.map(({ stage, at }, index) => {
    const isNow = index === entered.length - 1
    const known = stages.get(stage)
    const state = isNow ? stateOf(row) : (known?.state ?? 'open')
    return { pipeline, stage, at, label: known?.label ?? stage, state }
  })
}

function distinct(rows: readonly Row[], field: string): string[] {
  return [...new Set(rows.flatMap((row) => textOf(row, field) ?? []))]
}
