import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import { changeProperty, type StoredRecord } from './stored-record.ts'
import { ValueIndex } from './value-index.ts'

/** A change of one record: `set` is what the caller wrote, `system` what HubSpot derives. */
export interface RecordWrite {
  readonly id: string
  readonly set: Readonly<Record<string, string>>
  readonly system?: Readonly<Record<string, string>>
  readonly source: string
}

/** The records of one object type with their indexes. */
export class RecordTable {
  readonly records = new Map<string, StoredRecord>()
  /** Where merged records went: old id to new id. */
  readonly mergedInto = new Map<string, string>()
  /** Records whose search view may lag behind. */
  readonly lagging = new Set<string>()
  /** Grows with every change. */
  version = 0
  private nextId: number
  private readonly type: ObjectType
  private readonly searchLagMs: number
  private readonly indexes = new Map<string, ValueIndex>()
  private readonly emailOwners = new Map<string, string>()

  constructor(type: ObjectType, searchLagMs: number) {
    this.type = type
    this.searchLagMs = searchLagMs
    this.nextId = OBJECT_TYPES[type].firstId
  }

  reserveId(): string {
    return String(this.nextId++)
  }

  /** The id that comes next, without taking it. */
  upcomingId(): number {
    return this.nextId
  }

  /** A record that is neither archived nor merged away. */
  live(id: string): StoredRecord | undefined {
    const record = this.records.get(id)
    return record?.archivedAt === null ? record : undefined
  }

  /** Like `live`, following merges. */
  resolve(id: string): StoredRecord | undefined {
    let target = id
    for (let next = this.mergedInto.get(target); next; next = this.mergedInto.get(target)) {
      target = next
    }
    return this.live(target)
  }

  /** The contact that holds this address as its primary or an additional one. */
  byEmail(email: string): StoredRecord | undefined {
    const id = this.emailOwners.get(email.trim().toLowerCase())
    return id === undefined ? undefined : this.live(id)
  }

  /** Live records with this value, whatever its letter case. The first look-up builds the index. */
  byValue(property: string, value: string): readonly string[] {
    return this.index(property).find(value)
  }

  write(write: RecordWrite, at: number): StoredRecord {
    const existing = this.records.get(write.id)
    const record = existing ?? this.insert(write.id, at)
    this.rememberStale(record, existing === undefined, at)
    for (const [name, to] of Object.entries(write.set)) {
      const from = record.properties[name] ?? ''
      if (from === to) continue
      changeProperty(record, name, { at, from, to, source: write.source })
      this.reindex(record, name, from, to)
    }
    const stamp = new Date(at).toISOString()
    const modified = {
      [OBJECT_TYPES[this.type].modifiedProperty]: stamp,
      hs_lastmodifieddate: stamp,
    }
    for (const [name, to] of Object.entries({ ...write.system, ...modified })) {
      const from = record.properties[name] ?? ''
      if (to === '') delete record.properties[name]
      else record.properties[name] = to
      this.reindex(record, name, from, to)
    }
    record.updatedAt = at
    this.version++
    return record
  }

  archive(id: string, at: number): void {
    const record = this.live(id)
    if (record === undefined) return
    this.unindex(record)
    record.archivedAt = at
    record.updatedAt = at
    this.version++
  }

  /** Brings an archived record back as it was. */
  unarchive(id: string, at: number): void {
    const record = this.records.get(id)
    if (record === undefined || record.archivedAt === null) return
    record.archivedAt = null
    record.updatedAt = at
    for (const [name, value] of Object.entries(record.properties)) {
      this.reindex(record, name, '', value)
    }
    this.version++
  }

  /** Takes a merged record away and leaves its id pointing at the surviving one. */
  redirect(id: string, into: string): void {
    const record = this.live(id)
    if (record !== undefined) this.unindex(record)
    this.records.delete(id)
    this.mergedInto.set(id, into)
    this.version++
  }

  /** Puts back a record from a stored snapshot. */
  restore(record: StoredRecord): void {
    this.records.set(record.id, record)
    this.skipId(record.id)
    if (record.archivedAt !== null) return
    for (const [name, value] of Object.entries(record.properties)) {
      this.reindex(record, name, '', value)
    }
  }

  /** Never hand out this id, nor one below it. */
  skipId(id: string): void {
    this.nextId = Math.max(this.nextId, Number(id) + 1)
  }

  private insert(id: string, at: number): StoredRecord {
    this.skipId(id)
    const properties = {
      hs_object_id: id,
      [OBJECT_TYPES[this.type].createdProperty]: new Date(at).toISOString(),
    }
    const record = { id, properties, createdAt: at, updatedAt: at, archivedAt: null, history: {} }
    this.records.set(id, record)
    for (const [name, value] of Object.entries(properties)) this.reindex(record, name, '', value)
    return record
  }

  private rememberStale(record: StoredRecord, isNew: boolean, at: number): void {
    if (this.searchLagMs === 0) return
    record.stale ??= []
    const properties = isNew ? null : { ...record.properties }
    record.stale.push({ until: at + this.searchLagMs, properties })
    this.lagging.add(record.id)
  }

  private index(property: string): ValueIndex {
    const existing = this.indexes.get(property)
    if (existing !== undefined) return existing
    const index = new ValueIndex()
    for (const record of this.records.values()) {
      const value = record.properties[property]
      if (value !== undefined && record.archivedAt === null) index.add(value, record.id)
    }
    this.indexes.set(property, index)
    return index
  }

  private reindex(record: StoredRecord, name: string, from: string, to: string): void {
    const index = this.indexes.get(name)
    if (from !== '') index?.remove(from, record.id)
    if (to !== '') index?.add(to, record.id)
    if (this.type !== 'contacts' || (name !== 'email' && name !== 'hs_additional_emails')) return
    for (const email of from.split(';')) this.emailOwners.delete(email)
    for (const email of emailsOf(record)) this.emailOwners.set(email, record.id)
  }

  private unindex(record: StoredRecord): void {
    for (const [name, value] of Object.entries(record.properties)) {
      this.indexes.get(name)?.remove(value, record.id)
    }
    for (const email of emailsOf(record)) this.emailOwners.delete(email)
  }
}

function emailsOf({ properties }: StoredRecord): string[] {
  const { email = '', hs_additional_emails: additional = '' } = properties
  return [email, ...additional.split(';')].filter(Boolean)
}
