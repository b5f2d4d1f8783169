import type { FieldDefinition, ObjectDefinition, Value } from './field-definition.ts'
import { ModifiedLog } from './modified-log.ts'
import { makeId } from './salesforce-id.ts'
import type { StoredRow } from './stored-row.ts'

type Index = Map<string, Set<StoredRow>>

const NONE: ReadonlySet<StoredRow> = new Set()

/** The records of one object, deleted ones included, with an index for every field that is asked by. */
export class ObjectTable {
  readonly definition: ObjectDefinition
  readonly rows = new Map<string, StoredRow>()
  /** By SystemModstamp. */
  readonly modified = new ModifiedLog()
  /** By the moment of deletion. */
  readonly deleted = new ModifiedLog()
  private readonly indexes = new Map<string, Index>()
  private count = 0

  constructor(definition: ObjectDefinition) {
    this.definition = definition
  }

  nextId(): string {
    return makeId(this.definition.keyPrefix, ++this.count)
  }

  field(name: string): FieldDefinition | undefined {
    return this.definition.fields.get(name)
  }

  /** A record that is not deleted. */
  live(id: string): StoredRow | undefined {
    const row = this.rows.get(id)
    return row?.values['IsDeleted'] === true ? undefined : row
  }

  insert(row: StoredRow): void {
    this.rows.set(row.id, row)
    for (const [name, index] of this.indexes) this.enter(index, name, row)
  }

  remove(row: StoredRow): void {
    for (const [name, index] of this.indexes) this.leave(index, name, row)
    this.rows.delete(row.id)
    this.modified.forget(row.id)
  }

  /** Sets fields and keeps the indexes in step. */
  write(row: StoredRow, values: Readonly<Record<string, Value>>): void {
    const touched = [...this.indexes].filter(([name]) => name in values)
    for (const [name, index] of touched) this.leave(index, name, row)
    Object.assign(row.values, values)
    for (const [name, index] of touched) this.enter(index, name, row)
  }

  /** Records, deleted ones included, whose field has a value; texts match in any case unless the field minds. */
  find(name: string, value: Value): ReadonlySet<StoredRow> {
    if (name === 'Id') {
      const row = this.rows.get(String(value))
      return row === undefined ? NONE : new Set([row])
    }
    const field = this.field(name)
    if (field === undefined || value === null) return NONE
    return this.index(field).get(keyOf(field, value)) ?? NONE
  }

  private index(field: FieldDefinition): Index {
    const existing = this.indexes.get(field.name)
    if (existing !== undefined) return existing
    const index: Index = new Map()
    this.indexes.set(field.name, index)
    for (const row of this.rows.values()) this.enter(index, field.name, row)
    return index
  }

  private enter(index: Index, name: string, row: StoredRow): void {
    const key = this.keyIn(name, row)
    if (key === undefined) return
    const rows = index.get(key)
    if (rows === undefined) index.set(key, new Set([row]))
    else rows.add(row)
  }

  private leave(index: Index, name: string, row: StoredRow): void {
    const key = this.keyIn(name, row)
    const rows = key === undefined ? undefined : index.get(key)
    if (key === undefined || rows === undefined) return
    rows.delete(row)
    if (rows.size === 0) index.delete(key)
  }

  private keyIn(name: string, row: StoredRow): string | undefined {
    const field = this.field(name)
    const value = row.values[name]
    if (field === undefined || value === undefined || value === null) return undefined
    return keyOf(field, value)
  }
}

/** Two values with one key are the same to a lookup. */
export function keyOf(field: FieldDefinition, value: Value): string {
  return field.caseSensitive ? String(value) : String(value).toLowerCase()
}
