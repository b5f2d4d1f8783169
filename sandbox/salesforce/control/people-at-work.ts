import type { Value } from '../field-definition.ts'
import { makeUser } from '../org-setup.ts'
import type { OrgState } from '../org-state.ts'
import { readJsonRecord } from '../record-input.ts'
import type { RecordWriter, SaveOptions } from '../record-writer.ts'
import { showDate } from '../salesforce-time.ts'
import type { Actor, StoredRow } from '../stored-row.ts'
import type { Transaction } from '../transaction.ts'
import {
  type ConvertedIds,
  type ConvertMapping,
  type ConvertOptions,
  convertLead,
} from './lead-conversion.ts'
import { type OpenTransaction, openTransaction } from './open-transaction.ts'

export type Values = Readonly<Record<string, Value>>

/** What people of the org do in Salesforce, under the same rules as the API and without a call. */
export interface PeopleAtWork {
  /** Makes a record by hand; returns its id. */
  create(object: string, values: Values): string
  /** Changes a record by hand. */
  edit(object: string, id: string, values: Values): void
  delete(object: string, id: string): void
  /** Takes a record out of the recycle bin. */
  undelete(object: string, id: string): void
  /** Merges records of one object into the first; the others point at it afterwards. */
  merge(object: string, winnerId: string, loserIds: readonly string[]): void
  convertLead(id: string, options?: ConvertOptions): ConvertedIds
  /** Opens an opportunity, with contacts in it, the first of them primary; returns its id. */
  openOpportunity(values: Values, contactIds?: readonly string[]): string
  /** Moves an opportunity to a stage. */
  moveOpportunity(id: string, stage: string): void
  closeOpportunity(id: string, outcome: 'won' | 'lost'): void
  completeTask(id: string): void
  /** Tasks of long ago are archived: a query does not see them, queryAll does. */
  archiveTask(id: string): void
  /** Logs a call or an e-mail (a closed task), or a meeting (an event); returns its id. */
  log(kind: 'call' | 'email' | 'meeting', values: Values): string
  /** Begins a transaction that stays open for as long as one likes. */
  openTransaction(): OpenTransaction
  addUser(values: Values): string
  deactivateUser(id: string): void
  /** A queue that owns records of these objects; returns its id. */
  addQueue(name: string, objects: readonly string[]): string
  addRecordType(object: string, name: string): string
}

export interface PeopleOptions {
  readonly state: OrgState
  readonly writer: RecordWriter
  /** Who does it all, unless `as` says otherwise. */
  readonly userId: string
  readonly mappings: readonly ConvertMapping[]
}

const BY_HAND: SaveOptions = {
  autoAssign: false,
  duplicates: { allowSave: true, includeRecordDetails: false },
  isMany: false,
}

export function peopleAtWork(options: PeopleOptions): PeopleAtWork {
  const { state, writer, userId } = options
  const actor: Actor = { userId, channel: 'ui', client: null, apiVersion: '67.0' }
  const act = <Result>(body: (tx: Transaction) => Result, at?: number): Result =>
    state.transact(actor, body, at)
  const rowOf = (object: string, id: string): StoredRow => {
    const row = state.record(id)
    if (row?.object !== object) throw new Error(`there is no ${object} ${id}`)
    return row
  }
  const at = (moment?: number) => ({
    create: (object: string, values: Values): string =>
      act((tx) => {
        const input = readJsonRecord(state, state.table(object), values)
        return writer.create(tx, object, input, BY_HAND).id
      }, moment),
    edit: (object: string, id: string, values: Values): void =>
      act((tx) => {
        const input = readJsonRecord(state, state.table(object), values)
        writer.update(tx, rowOf(object, id), input, BY_HAND)
      }, moment),
  })
  const { create, edit } = at()
  return {
    create,
    edit,
    delete: (object, id) => act((tx) => writer.remove(tx, rowOf(object, id))),
    undelete: (object, id) => act((tx) => writer.restore(tx, rowOf(object, id))),
    merge: (object, winnerId, loserIds) =>
      act((tx) => {
        const losers = loserIds.map((id) => rowOf(object, id))
        mergeRows(state, tx, rowOf(object, winnerId), losers)
      }),
    convertLead: (id, how = {}) =>
      act((tx) => convertLead(state, tx, rowOf('Lead', id), how, options.mappings)),
    ...opportunityWork(create, edit, state),
    completeTask: (id) => edit('Task', id, { Status: 'Completed' }),
    archiveTask: (id) => act((tx) => tx.update(rowOf('Task', id), { IsArchived: true })),
    log: (kind, values) => create(...logged(kind, values, state.now())),
    openTransaction: () => openTransaction(state, at),
    ...setupWork(act, rowOf),
  }
}

function opportunityWork(
  create: PeopleAtWork['create'],
  edit: PeopleAtWork['edit'],
  state: OrgState,
): Pick<PeopleAtWork, 'openOpportunity' | 'moveOpportunity' | 'closeOpportunity'> {
  return {
    openOpportunity: (values, contactIds = []) => {
      const id = create('Opportunity', {
        Name: 'Opportunity',
        StageName: 'Prospecting',
        CloseDate: showDate(state.now() + 90 * 86_400_000),
        ...values,
      })
      for (const [place, contact] of contactIds.entries()) {
        const role = { OpportunityId: id, ContactId: contact, IsPrimary: place === 0 }
        create('OpportunityContactRole', role)
      }
      return id
    },
    moveOpportunity: (id, stage) => edit('Opportunity', id, { StageName: stage }),
    closeOpportunity: (id, outcome) =>
      edit('Opportunity', id, { StageName: outcome === 'won' ? 'Closed Won' : 'Closed Lost' }),
  }
}

function setupWork(
  act: <Result>(body: (tx: Transaction) => Result) => Result,
  rowOf: (object: string, id: string) => StoredRow,
): Pick<PeopleAtWork, 'addUser' | 'deactivateUser' | 'addQueue' | 'addRecordType'> {
  return {
    addUser: (values) => act((tx) => makeUser(tx, values)),
    deactivateUser: (id) => act((tx) => tx.update(rowOf('User', id), { IsActive: false })),
    addQueue: (name, objects) =>
      act((tx) => {
        const developerName = name.replace(/\W+/g, '_')
        const queue = tx.create('Group', {
          Name: name,
          DeveloperName: developerName,
          Type: 'Queue',
        })
        for (const object of objects) {
          tx.create('QueueSobject', { QueueId: queue.id, SobjectType: object })
        }
        return queue.id
      }),
    addRecordType: (object, name) =>
      act(
        (tx) =>
          tx.create('RecordType', {
            Name: name,
            DeveloperName: name.replace(/\W+/g, '_'),
            SobjectType: object,
            IsActive: true,
          }).id,
      ),
  }
}

function logged(
  kind: 'call' | 'email' | 'meeting',
  values: Values,
  now: number,
): [object: string, values: Values] {
  if (kind === 'meeting') {
    const start = new Date(now).toISOString()
    return ['Event', { Subject: 'Meeting', StartDateTime: start, DurationInMinutes: 30, ...values }]
  }
  const isCall = kind === 'call'
  return [
    'Task',
    {
      Subject: isCall ? 'Call' : 'Email',
      TaskSubtype: isCall ? 'Call' : 'Email',
      Status: 'Completed',
      ActivityDate: showDate(now),
      ...(isCall ? { CallType: 'Outbound' } : {}),
      ...values,
    },
  ]
}

/** References that follow a loser to the winner. */
const FOLLOWING: readonly (readonly [object: string, field: string])[] = [
  ['Contact', 'AccountId'],
  ['Opportunity', 'AccountId'],
  ['OpportunityContactRole', 'ContactId'],
  ['Task', 'WhoId'],
  ['Task', 'WhatId'],
  ['Event', 'WhoId'],
  ['Event', 'WhatId'],
]

function mergeRows(
  state: OrgState,
  tx: Transaction,
  winner: StoredRow,
  losers: readonly StoredRow[],
): void {
  const filled: Record<string, Value> = {}
  for (const loser of losers) {
    for (const field of state.table(winner.object).definition.fields.values()) {
      const isFree = field.updateable && (winner.values[field.name] ?? null) === null
      const value = loser.values[field.name] ?? null
      if (isFree && value !== null && !field.unique) filled[field.name] ??= value
    }
    for (const [object, field] of FOLLOWING) {
      for (const row of [...state.table(object).find(field, loser.id)]) {
        if (row.values['IsDeleted'] !== true) tx.update(row, { [field]: winner.id })
      }
    }
    tx.update(loser, { IsDeleted: true, MasterRecordId: winner.id }, 'merge')
  }
  tx.update(winner, filled)
}
