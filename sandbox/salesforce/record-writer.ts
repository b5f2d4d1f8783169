import { checkValue } from './check-value.ts'
import type { FieldDefinition, Value } from './field-definition.ts'
import { keyOf, type ObjectTable } from './object-table.ts'
import { ObjectTraits } from './object-traits.ts'
import type { OrgState } from './org-state.ts'
import type { RecordInput } from './record-input.ts'
import { afterSave, derivedValues } from './rules/derived-values.ts'
import type { DuplicateOptions } from './rules/duplicate-rules.ts'
import type { OrgRules } from './rules/org-rules.ts'
import { checkOwner } from './rules/owner-rules.ts'
import { RowError, SalesforceError } from './salesforce-error.ts'
import type { Actor, RowValues, StoredRow } from './stored-row.ts'
import type { Transaction } from './transaction.ts'

/** What the headers of a call say about its saves. */
export interface SaveOptions {
  /** Assignment rules run unless the caller switches them off. */
  readonly autoAssign: boolean
  readonly duplicates: DuplicateOptions
  /** The call is about many records; Salesforce words some errors in another way then. */
  readonly isMany: boolean
}

interface Save {
  readonly tx: Transaction
  readonly table: ObjectTable
  readonly row: StoredRow | null
  readonly given: ReadonlyMap<FieldDefinition, Value>
  readonly options: SaveOptions
}

const ASSIGNED = new Set(['Lead', 'Case', 'Account'])

/** Saves one record at a time under all rules of the org; whatever is wrong with it is a RowError. */
export class RecordWriter {
  private readonly state: OrgState
  private readonly rules: OrgRules
  private readonly traits: ObjectTraits

  constructor(state: OrgState, rules: OrgRules) {
    this.state = state
    this.rules = rules
    this.traits = new ObjectTraits(state)
  }

  create(tx: Transaction, object: string, input: RecordInput, options: SaveOptions): StoredRow {
    const table = this.state.table(object)
    if (!table.definition.createable) throw notWriteable(table)
    const save: Save = { tx, table, row: null, given: input, options }
    const values = { ...this.defaults(table, tx.actor), ...this.checked(save) }
    const next = this.complete(save, values, {})
    this.rules.storage.check()
    const row = tx.create(table.definition.name, next)
    afterSave(this.state, tx, row, null)
    return row
  }

  update(tx: Transaction, row: StoredRow, input: RecordInput, options: SaveOptions): void {
    const table = this.state.table(row.object)
    if (!table.definition.updateable) throw notWriteable(table)
    if (row.values['IsDeleted'] === true) {
      throw new RowError('ENTITY_IS_DELETED', 'entity is deleted')
    }
    if (row.values['IsConverted'] === true && tx.actor.channel !== 'ui') {
      throw new RowError('CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead')
    }
    const save: Save = { tx, table, row, given: input, options }
    const before = { ...row.values }
    const next = this.complete(save, this.checked(save), before)
    tx.update(row, next)
    afterSave(this.state, tx, row, before)
  }

  /** Saves under a key; `created` tells which it was. */
  upsert(
    tx: Transaction,
    object: string,
    key: { readonly field: FieldDefinition; readonly value: Value },
    input: RecordInput,
    options: SaveOptions & { readonly updateOnly?: boolean },
  ): { readonly row: StoredRow; readonly created: boolean } {
    const found = this.keyed(object, key)
    const [row] = found
    if (found.length > 1) {
      throw new RowError(
        'DUPLICATE_EXTERNAL_ID',
        `${key.field.name}: more than one record found for external id field: [${found.map(({ id }) => id).join(', ')}]`,
        [key.field.name],
      )
    }
    if (row !== undefined) {
      this.update(tx, row, input, options)
      return { row, created: false }
    }
    if (options.updateOnly || key.field.name === 'Id')
      throw new RowError('NOT_FOUND', 'The requested resource does not exist')
    const keyed = new Map([...input, [key.field, key.value] as const])
    return { row: this.create(tx, object, keyed, options), created: true }
  }

  /** The records that have a key, as upsert sees them. */
  keyed(
    object: string,
    key: { readonly field: FieldDefinition; readonly value: Value },
  ): readonly StoredRow[] {
    const table = this.state.table(object)
    if (key.field.name === 'Id') {
      const row = this.state.record(key.value)
      return row === undefined ? [] : [row]
    }
    return [...table.find(key.field.name, key.value)].filter(
      (row) => row.values['IsDeleted'] !== true,
    )
  }

  remove(tx: Transaction, row: StoredRow): void {
    const { definition } = this.state.table(row.object)
    if (!definition.deletable) throw notWriteable(this.state.table(row.object))
    if (row.values['IsDeleted'] === true) {
      throw new RowError('ENTITY_IS_DELETED', 'entity is deleted')
    }
    this.rules.locks.check(row.object, row.id, row.values)
    tx.update(row, { IsDeleted: true }, 'delete')
    for (const child of this.below(row)) {
      if (child.values['IsDeleted'] !== true) tx.update(child, { IsDeleted: true }, 'delete')
    }
  }

  restore(tx: Transaction, row: StoredRow): void {
    if (row.values['IsDeleted'] !== true || row.values['MasterRecordId']) {
      throw new RowError('UNDELETE_FAILED', 'entity is not in the recycle bin')
    }
    tx.update(row, { IsDeleted: false }, 'undelete')
  }

  /** Records that go with one that is deleted. */
  private below(row: StoredRow): StoredRow[] {
    const found = (object: string, field: string) => [
      ...this.state.table(object).find(field, row.id),
    ]
    const activities = ['Task', 'Event'].flatMap((object) => found(object, 'WhoId'))
    const own = activities.filter(({ values }) => !values['WhatId'])
    if (row.object === 'Account') {
      return [...found('Contact', 'AccountId'), ...found('Opportunity', 'AccountId')]
    }
    if (row.object === 'Contact') return [...own, ...found('OpportunityContactRole', 'ContactId')]
    if (row.object === 'Opportunity') return found('OpportunityContactRole', 'OpportunityId')
    return row.object === 'Lead' ? own : []
  }

  /** The given values, each as its field takes it. */
  private checked({ tx, row, given, table }: Save): Record<string, Value> {
    const isApi = tx.actor.channel !== 'ui'
    const refused: string[] = []
    const values: Record<string, Value> = {}
    for (const [field, value] of given) {
      const isAllowed = row === null ? field.createable : field.updateable
      if (!isAllowed || (isApi && !field.editable)) refused.push(field.name)
      else values[field.name] = checkValue(this.state, field, value)
    }
    if (refused.length > 0) {
      throw new RowError(
        'INVALID_FIELD_FOR_INSERT_UPDATE',
        `Unable to create/update fields: ${refused.join(', ')}. Please check the security settings of this field and verify that it is read/write for your profile or permission set.`,
        refused,
      )
    }
    this.requireFields(table, row, values)
    return values
  }

  private requireFields(table: ObjectTable, row: StoredRow | null, values: RowValues): void {
    const isPerson = table.definition.name === 'Account' && Boolean(values['LastName'])
    const missing = this.traits.of(table).required.filter(({ name, defaulted }) => {
      if (isPerson && name === 'Name') return false
      if (name in values) return values[name] === null && !(defaulted && row === null)
      return row === null && !defaulted
    })
    if (missing.length === 0) return
    const names = missing.map(({ name }) => name)
    throw new RowError(
      'REQUIRED_FIELD_MISSING',
      `Required fields are missing: [${names.join(', ')}]`,
      names,
    )
  }

  /** Runs the rules over what the record would say, and adds what follows from it. */
  private complete(save: Save, values: Record<string, Value>, before: RowValues): RowValues {
    const { tx, table, row, options } = save
    const object = table.definition.name
    const id = row?.id ?? null
    this.rules.locks.check(object, id ?? '', { ...before, ...values })
    const given = new Set(Object.keys(values))
    const assignee = this.assignee(object, options)
    const changed = { ...values, ...assignee }
    const moment = { before: row === null ? null : before, given, at: tx.at }
    const derived = derivedValues(this.state, object, { ...before, ...changed }, moment)
    const next = { ...before, ...changed, ...derived }
    if ('OwnerId' in changed) checkOwner(this.state, object, next, tx.actor.apiVersion)
    if (tx.actor.channel !== 'ui') {
      this.rules.duplicates.check(this.state, { object, id }, next, {
        ...options.duplicates,
        apiVersion: tx.actor.apiVersion,
        isMany: options.isMany,
      })
    }
    this.rules.validations.check(object, next, row === null ? null : before)
    for (const field of save.given.keys()) {
      if (field.unique) this.requireUnique(table, field, next[field.name] ?? null, id)
    }
    return { ...changed, ...derived }
  }

  private assignee(object: string, options: SaveOptions): Record<string, Value> {
    const owner = this.rules.assignment.get(object)
    return options.autoAssign && owner !== undefined && ASSIGNED.has(object)
      ? { OwnerId: owner }
      : {}
  }

  private requireUnique(
    table: ObjectTable,
    field: FieldDefinition,
    value: Value,
    id: string | null,
  ): void {
    if (value === null) return
    for (const other of table.find(field.name, value)) {
      if (other.id === id || other.values['IsDeleted'] === true) continue
      throw new RowError(
        'DUPLICATE_VALUE',
        `duplicate value found: ${field.name} duplicates value on record with id: ${other.id}`,
        [field.name],
      )
    }
  }

  private defaults(table: ObjectTable, actor: Actor): Record<string, Value> {
    const { defaults } = this.traits.of(table)
    return table.field('OwnerId') ? { ...defaults, OwnerId: actor.userId } : { ...defaults }
  }
}

/** Upsert keys that stand twice in one call; neither record is saved. */
export function repeatedKeys(
  field: FieldDefinition,
  values: readonly Value[],
): ReadonlySet<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const value of values) {
    if (value === null) continue
    const key = keyOf(field, value)
    if (seen.has(key)) repeated.add(key)
    seen.add(key)
  }
  return repeated
}

function notWriteable(table: ObjectTable): SalesforceError {
  return new SalesforceError(
    405,
    'METHOD_NOT_ALLOWED',
    `entity type ${table.definition.name} does not support this operation`,
  )
}
