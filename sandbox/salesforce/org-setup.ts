import type { Value } from './field-definition.ts'
import type { OrgState } from './org-state.ts'
import type { Actor } from './stored-row.ts'
import type { Transaction } from './transaction.ts'

export const INTEGRATION_USER = 'integration@sandbox.example'

type Values = Readonly<Record<string, Value>>

const LEAD_STATUSES: readonly (readonly [name: string, isConverted: boolean])[] = [
  ['Open - Not Contacted', false],
  ['Working - Contacted', false],
  ['Closed - Converted', true],
  ['Closed - Not Converted', false],
]

const TASK_STATUSES: readonly (readonly [name: string, isClosed: boolean])[] = [
  ['Not Started', false],
  ['In Progress', false],
  ['Completed', true],
  ['Waiting on someone else', false],
  ['Deferred', false],
]

const STAGES: readonly (readonly [name: string, probability: number, category: string])[] = [
  ['Prospecting', 10, 'Pipeline'],
  ['Qualification', 10, 'Pipeline'],
  ['Needs Analysis', 20, 'Pipeline'],
  ['Value Proposition', 50, 'Pipeline'],
  ['Id. Decision Makers', 60, 'Pipeline'],
  ['Perception Analysis', 70, 'Pipeline'],
  ['Proposal/Price Quote', 75, 'BestCase'],
  ['Negotiation/Review', 90, 'Forecast'],
  ['Closed Won', 100, 'Closed'],
  ['Closed Lost', 0, 'Omitted'],
]

const CATEGORY_NAMES: Readonly<Record<string, string>> = {
  Pipeline: 'Pipeline',
  BestCase: 'Best Case',
  Forecast: 'Commit',
  Closed: 'Closed',
  Omitted: 'Omitted',
}

/** Users of a new org, by the name under which the stand-in's owner finds them. */
export interface FirstUsers {
  /** The API's own user. */
  readonly integration: string
  readonly admin: string
  readonly rep: string
  /** Somebody who left. */
  readonly inactive: string
}

/** Puts into an empty org what every org has: its users, statuses and stages. */
export function setUpOrg(state: OrgState): FirstUsers {
  const actor: Actor = { userId: '', channel: 'ui', client: null, apiVersion: '67.0' }
  return state.transact(actor, (tx) => {
    const users = {
      integration: makeUser(tx, { Username: INTEGRATION_USER, LastName: 'Integration' }),
      admin: makeUser(tx, {
        Username: 'admin@sandbox.example',
        FirstName: 'Ada',
        LastName: 'Admin',
      }),
      rep: makeUser(tx, { Username: 'rep@sandbox.example', FirstName: 'Rhea', LastName: 'Rep' }),
      inactive: makeUser(tx, {
        Username: 'left@sandbox.example',
        FirstName: 'Leo',
        LastName: 'Left',
        IsActive: false,
      }),
    }
    tx.create('Organization', {
      Name: 'Sandbox',
      OrganizationType: 'Enterprise Edition',
      IsSandbox: true,
      InstanceName: 'SBX1',
      TimeZoneSidKey: 'Etc/UTC',
      LanguageLocaleKey: 'en_US',
      DefaultLocaleSidKey: 'en_US',
      FiscalYearStartMonth: 1,
    })
    for (const [place, [name, isConverted]] of LEAD_STATUSES.entries()) {
      tx.create('LeadStatus', { ...named(name, place), IsConverted: isConverted })
    }
    for (const [place, [name, isClosed]] of TASK_STATUSES.entries()) {
      tx.create('TaskStatus', { ...named(name, place), IsClosed: isClosed })
    }
    for (const [place, stage] of STAGES.entries())
      tx.create('OpportunityStage', stageOf(stage, place))
    return users
  })
}

/** A user with everything that one needs; `values` come on top. Returns the id. */
export function makeUser(tx: Transaction, values: Values): string {
  const name = String(values['Username'] ?? 'user@sandbox.example')
  const nick = name.split('@')[0] ?? 'user'
  const full = [values['FirstName'], values['LastName']].filter(Boolean).join(' ')
  return tx.create('User', {
    Email: name,
    Alias: nick.slice(0, 8),
    CommunityNickname: nick,
    Name: full,
    IsActive: true,
    UserType: 'Standard',
    TimeZoneSidKey: 'Etc/UTC',
    LocaleSidKey: 'en_US',
    LanguageLocaleKey: 'en_US',
    EmailEncodingKey: 'UTF-8',
    DigestFrequency: 'D',
    DefaultGroupNotificationFrequency: 'N',
    ...values,
  }).id
}

function named(name: string, place: number): Values {
  return { MasterLabel: name, ApiName: name, SortOrder: place + 1, IsDefault: place === 0 }
}

function stageOf([name, probability, category]: (typeof STAGES)[number], place: number): Values {
  return {
    MasterLabel: name,
    ApiName: name,
    IsActive: true,
    SortOrder: place + 1,
    IsClosed: name.startsWith('Closed'),
    IsWon: name === 'Closed Won',
    ForecastCategory: category,
    ForecastCategoryName: CATEGORY_NAMES[category] ?? category,
    DefaultProbability: probability,
  }
}
