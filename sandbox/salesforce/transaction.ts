import type { Value } from './field-definition.ts'
import type { OrgState } from './org-state.ts'
import { showDateTime } from './salesforce-time.ts'
import type { Actor, RowValues, RowVersion, StoredRow } from './stored-row.ts'

/** What happened to one record in a transaction, in order. */
export interface RowChange {
  readonly row: StoredRow
  readonly version: RowVersion
}

/** Changes that become visible together, or not at all. */
export class Transaction {
  readonly actor: Actor
  /** Milliseconds since 1970, whole seconds: what every stamp of it says. */
  readonly at: number
  readonly changes: RowChange[] = []
  private readonly state: OrgState
  private readonly undo: (() => void)[] = []
  private readonly stampText: string

  constructor(state: OrgState, actor: Actor, at: number) {
    this.state = state
    this.actor = actor
    this.at = at
    this.stampText = showDateTime(at)
  }

  create(object: string, values: RowValues): StoredRow {
    const table = this.state.table(object)
    const row: StoredRow = { id: table.nextId(), object, values: {}, history: [] }
    const has = (name: string) => table.field(name) !== undefined
    const stamp = this.stampText
    Object.assign(row.values, values, { Id: row.id })
    if (has('OwnerId')) row.values['OwnerId'] ??= this.actor.userId
    if (has('IsDeleted')) row.values['IsDeleted'] = false
    if (has('CreatedDate')) row.values['CreatedDate'] = stamp
    if (has('CreatedById')) row.values['CreatedById'] = this.actor.userId
    this.stamp(row.values, has)
    table.insert(row)
    table.modified.note(row.id, this.at)
    this.undo.push(() => table.remove(row))
    this.note(row, 'create', {})
    return row
  }

  /** Changes fields; a write of what is there already still moves the stamps, as Salesforce's does. */
  update(row: StoredRow, values: RowValues, what: RowVersion['what'] = 'update'): void {
    const table = this.state.table(row.object)
    const before = { ...row.values }
    const changes: Record<string, readonly [Value, Value]> = {}
    for (const [name, value] of Object.entries(values)) {
      const old = row.values[name] ?? null
      if (old !== value) changes[name] = [old, value]
    }
    const stamps: Record<string, Value> = {}
    this.stamp(stamps, (name) => table.field(name) !== undefined)
    table.write(row, { ...values, ...stamps })
    const stampedAt = this.state.stampOf(before)
    table.modified.note(row.id, this.at)
    if (what === 'delete' || what === 'merge') table.deleted.note(row.id, this.at)
    if (what === 'undelete') table.deleted.forget(row.id)
    this.undo.push(() => {
      const gone = Object.keys(row.values).filter((name) => !(name in before))
      table.write(row, { ...Object.fromEntries(gone.map((name) => [name, null])), ...before })
      if (stampedAt !== undefined) table.modified.note(row.id, stampedAt)
      if (what === 'delete' || what === 'merge') table.deleted.forget(row.id)
    })
    this.note(row, what, changes)
  }

  /** Where a later `rollback` returns to. */
  mark(): number {
    return this.undo.length
  }

  rollback(mark = 0): void {
    while (this.undo.length > mark) {
      this.undo.pop()?.()
      this.changes.pop()?.row.history.pop()
    }
  }

  private stamp(values: Record<string, Value>, has: (name: string) => boolean): void {
    const stamp = this.stampText
    if (has('LastModifiedDate')) values['LastModifiedDate'] = stamp
    if (has('LastModifiedById')) values['LastModifiedById'] = this.actor.userId
    if (has('SystemModstamp')) values['SystemModstamp'] = stamp
  }

  private note(row: StoredRow, what: RowVersion['what'], changes: RowVersion['changes']): void {
    const { userId, channel, client } = this.actor
    const version = { at: this.at, what, by: userId, channel, client, changes }
    row.history.push(version)
    this.changes.push({ row, version })
  }
}
