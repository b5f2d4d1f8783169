import type { FieldDefinition, ObjectDefinition, Value } from './field-definition.ts'
import { standardObjects } from './object-catalog.ts'
import { ObjectTable } from './object-table.ts'
import { notFound } from './salesforce-error.ts'
import { makeId, readLongId } from './salesforce-id.ts'
import { readDateTime, wholeSecond } from './salesforce-time.ts'
import type { Actor, StoredRow } from './stored-row.ts'
import { type RowChange, Transaction } from './transaction.ts'

export const ORG_ID = makeId('00D', 1)

/** A transaction that was committed, as whoever watches the org sees it. */
export interface Commit {
  readonly actor: Actor
  readonly at: number
  readonly changes: readonly RowChange[]
}

/** Everything that the org holds. */
export class OrgState {
  readonly personAccounts: boolean
  private readonly tables = new Map<string, ObjectTable>()
  private readonly byPrefix = new Map<string, ObjectTable>()
  private readonly clock: () => number
  /** Grows with every field that is defined or changed. */
  fieldsVersion = 0
  private current: Transaction | null = null
  private readonly watchers: ((commit: Commit) => void)[] = []
  /** When the transactions began that are still open; getUpdated does not see past the oldest. */
  readonly openSince: number[] = []
  /** Deletions before this are no longer listed by getDeleted: the log was purged. */
  deletedSince = 0

  constructor(options: { readonly now: () => number; readonly personAccounts: boolean }) {
    this.clock = options.now
    this.personAccounts = options.personAccounts
    for (const definition of standardObjects(options.personAccounts).values()) {
      this.addObject(definition)
    }
  }

  now(): number {
    return this.clock()
  }

  addObject(definition: ObjectDefinition): void {
    const table = new ObjectTable(definition)
    this.tables.set(definition.name.toLowerCase(), table)
    this.byPrefix.set(definition.keyPrefix, table)
  }

  /** The records of an object, whose name may be in any case. */
  table(object: string): ObjectTable {
    const table = this.tables.get(object.toLowerCase())
    if (table === undefined) throw notFound()
    return table
  }

  hasObject(object: string): boolean {
    return this.tables.has(object.toLowerCase())
  }

  allTables(): readonly ObjectTable[] {
    return [...this.tables.values()]
  }

  /** The object that an id belongs to, by its first three characters. */
  tableOfId(id: string): ObjectTable | undefined {
    return this.byPrefix.get(id.slice(0, 3))
  }

  /** A record by its id in either length, deleted or not. */
  record(id: Value | undefined): StoredRow | undefined {
    const long = typeof id === 'string' ? readLongId(id) : undefined
    return long === undefined ? undefined : this.tableOfId(long)?.rows.get(long)
  }

  setField(object: string, field: FieldDefinition): void {
    this.table(object).definition.fields.set(field.name, field)
    this.fieldsVersion++
  }

  /** Runs a change that happens as a whole or, when it throws, not at all; within another it is a part of that. */
  transact<Result>(actor: Actor, body: (tx: Transaction) => Result, at = this.now()): Result {
    if (this.current !== null) return within(this.current, body)
    const tx = new Transaction(this, actor, wholeSecond(at))
    this.current = tx
    try {
      const result = within(tx, body)
      this.current = null
      this.committed(tx)
      return result
    } finally {
      this.current = null
    }
  }

  watch(watcher: (commit: Commit) => void): void {
    this.watchers.push(watcher)
  }

  /** SystemModstamp in milliseconds since 1970. */
  stampOf(values: Readonly<Record<string, Value>>): number | undefined {
    const text = values['SystemModstamp'] ?? values['CreatedDate']
    return typeof text === 'string' ? readDateTime(text) : undefined
  }

  private committed({ actor, at, changes }: Transaction): void {
    if (changes.length === 0) return
    for (const watcher of this.watchers) watcher({ actor, at, changes })
  }
}

function within<Result>(tx: Transaction, body: (tx: Transaction) => Result): Result {
  const mark = tx.mark()
  try {
    return body(tx)
  } catch (error) {
    tx.rollback(mark)
    throw error
  }
}
