import type { Value } from '../field-definition.ts'
import type { OrgState } from '../org-state.ts'
import { showDateTime } from '../salesforce-time.ts'
import type { RowValues, StoredRow } from '../stored-row.ts'
import type { Transaction } from '../transaction.ts'

/** What follows from an opportunity's stage, amount and close date. */
export function opportunityValues(
  state: OrgState,
  next: RowValues,
  {
    before,
    given,
    at,
  }: {
    readonly before: RowValues | null
    readonly given: ReadonlySet<string>
    readonly at: number
  },
): Record<string, Value> {
  const stage = stageNamed(state, next['StageName'] ?? null)?.values
  const isMoved = before?.['StageName'] !== next['StageName']
  const takesDefault = isMoved && !given.has('Probability')
  const probability = takesDefault
    ? (stage?.['DefaultProbability'] ?? 0)
    : (next['Probability'] ?? 0)
  const category = isMoved && !given.has('ForecastCategoryName')
  const amount = next['Amount']
  const closes = String(next['CloseDate'] ?? '')
  const quarter = Math.floor((Number(closes.slice(5, 7)) - 1) / 3) + 1
  return {
    IsClosed: stage?.['IsClosed'] ?? false,
    IsWon: stage?.['IsWon'] ?? false,
    Probability: probability,
    ...(category
      ? {
          ForecastCategory: stage?.['ForecastCategory'] ?? 'Pipeline',
          ForecastCategoryName: stage?.['ForecastCategoryName'] ?? 'Pipeline',
        }
      : {}),
    ExpectedRevenue: typeof amount === 'number' ? (amount * Number(probability)) / 100 : null,
    ...(isMoved && before !== null ? { LastStageChangeDate: showDateTime(at) } : {}),
    FiscalYear: Number(closes.slice(0, 4)),
    FiscalQuarter: quarter,
    Fiscal: `${closes.slice(0, 4)} ${quarter}`,
  }
}

/** A stage by its name. */
export function stageNamed(state: OrgState, name: Value): StoredRow | undefined {
  const [stage] = state.table('OpportunityStage').find('ApiName', name)
  return stage
}

const WATCHED = ['StageName', 'Amount', 'Probability', 'CloseDate'] as const
const TRACKED = ['StageName', 'Amount', 'CloseDate', 'OwnerId', 'AccountId'] as const

/** Writes the two histories of an opportunity, and keeps its primary contact's role. */
export function afterOpportunitySave(
  state: OrgState,
  tx: Transaction,
  row: StoredRow,
  before: RowValues | null,
): void {
  const next = row.values
  const isChanged = (name: string) => (before?.[name] ?? null) !== (next[name] ?? null)
  if (before === null || WATCHED.some(isChanged)) {
    tx.create('OpportunityHistory', {
      OpportunityId: row.id,
      StageName: next['StageName'] ?? null,
      Amount: next['Amount'] ?? null,
      ExpectedRevenue: next['ExpectedRevenue'] ?? null,
      CloseDate: next['CloseDate'] ?? null,
      Probability: next['Probability'] ?? null,
      ForecastCategory: next['ForecastCategory'] ?? null,
      PrevAmount: before?.['Amount'] ?? null,
      PrevCloseDate: before?.['CloseDate'] ?? null,
    })
  }
  const track = (field: string, from: Value, to: Value) =>
    tx.create('OpportunityFieldHistory', {
      OpportunityId: row.id,
      Field: field,
      DataType: state.table('Opportunity').field(field)?.type ?? 'Text',
      OldValue: from === null ? null : String(from),
      NewValue: to === null ? null : String(to),
    })
  if (before === null) track('created', null, null)
  else
    for (const name of TRACKED.filter(isChanged))
      track(name, before[name] ?? null, next[name] ?? null)
  if (before === null && next['ContactId']) {
    const role = { OpportunityId: row.id, ContactId: next['ContactId'], IsPrimary: true }
    tx.create('OpportunityContactRole', role)
  }
}

/** An opportunity has one primary contact, and shows it. */
export function afterRoleSave(state: OrgState, tx: Transaction, role: StoredRow): void {
  const opportunity = state.record(role.values['OpportunityId'])
  if (opportunity === undefined) return
  const roles = [...state.table('OpportunityContactRole').find('OpportunityId', opportunity.id)]
  if (role.values['IsPrimary'] === true && role.values['IsDeleted'] !== true) {
    const others = roles.filter((other) => other !== role && other.values['IsPrimary'] === true)
    for (const other of others) tx.update(other, { IsPrimary: false })
  }
  const primary = roles.find(
    ({ values }) => values['IsPrimary'] === true && values['IsDeleted'] !== true,
  )
  const contact = primary?.values['ContactId'] ?? null
  if ((opportunity.values['ContactId'] ?? null) === contact) return
  tx.update(opportunity, { ContactId: contact })
}
