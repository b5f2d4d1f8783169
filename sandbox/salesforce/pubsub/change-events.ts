import { randomUUID } from 'node:crypto'
import type { FieldDefinition, Value } from '../field-definition.ts'
import type { Commit, OrgState } from '../org-state.ts'
import type { Actor, StoredRow } from '../stored-row.ts'
import { avroValue, type ChangeSchema, changeSchema, compoundType } from './change-schema.ts'
import { fieldBitmaps } from './field-bitmap.ts'

export type ChangeType =
  | 'CREATE'
  | 'UPDATE'
  | 'DELETE'
  | 'UNDELETE'
  | 'GAP_CREATE'
  | 'GAP_UPDATE'
  | 'GAP_DELETE'
  | 'GAP_UNDELETE'
  | 'GAP_OVERFLOW'

/** An event before it is put on the stream. */
export interface ChangeEvent {
  readonly entity: string
  readonly schemaId: string
  readonly payload: Buffer
}

/** Larger events are gaps: the subscriber is only told where to look. */
const MAX_BYTES = 1_000_000
/** A transaction with more changes than this is told as an overflow of each object. */
const MAX_CHANGES = 100_000
/** Longer texts are told as what became different. */
const LONG_TEXT = 1000

interface RecordChange {
  readonly row: StoredRow
  readonly type: 'CREATE' | 'UPDATE' | 'DELETE' | 'UNDELETE'
  readonly isConversion: boolean
  readonly changes: Map<string, readonly [from: Value, to: Value]>
}

interface LatestSchema {
  readonly fieldsVersion: number
  readonly schema: ChangeSchema
}

/** Turns what was committed into change events. */
export class ChangeEvents {
  private readonly state: OrgState
  private readonly schemas = new Map<string, ChangeSchema>()
  private readonly latest = new Map<string, LatestSchema>()
  private commits = 10_583_584_855_436

  constructor(state: OrgState) {
    this.state = state
  }

  /** The schema of an object's events as its fields are now. */
  schemaOf(entity: string): ChangeSchema {
    const { fieldsVersion } = this.state
    const known = this.latest.get(entity)
    if (known?.fieldsVersion === fieldsVersion) return known.schema
    const schema = changeSchema(this.state.table(entity).definition)
    this.latest.set(entity, { fieldsVersion, schema })
    this.schemas.set(schema.id, schema)
    return schema
  }

  schema(id: string): ChangeSchema | undefined {
    return this.schemas.get(id)
  }

  /** The events of a transaction, for the objects that are watched. */
  of(commit: Commit, watched: ReadonlySet<string>): ChangeEvent[] {
    const records = recordChanges(commit, watched)
    const common = this.commonHeader(commit.actor)
    if (records.length > MAX_CHANGES) {
      const entities = [...new Set(records.map(({ row }) => row.object))]
      return entities.map((entity, place) =>
        this.bare(entity, [], 'GAP_OVERFLOW', common, place + 1),
      )
    }
    return sameChanges(records).map((group, place) => this.event(group, common, place + 1))
  }

  /** An event that tells nothing but that something happened. */
  gap(entity: string, ids: readonly string[], type: ChangeType, actor: Actor): ChangeEvent {
    return this.bare(entity, ids, type, this.commonHeader(actor), 1)
  }

  private event(
    group: readonly RecordChange[],
    common: Record<string, unknown>,
    sequenceNumber: number,
  ): ChangeEvent {
    const [first] = group
    if (first === undefined) throw new Error('an event is about a record')
    const entity = first.row.object
    const schema = this.schemaOf(entity)
    const ids = group.map(({ row }) => row.id)
    const shown = shownFields(schema, first)
    const header = {
      ...common,
      entityName: entity,
      recordIds: ids,
      changeType: first.type,
      sequenceNumber,
      nulledFields: fieldBitmaps(schema.fields, shown.nulled),
      diffFields: fieldBitmaps(schema.fields, shown.diffs),
      changedFields: fieldBitmaps(schema.fields, shown.changed),
    }
    const definition = this.state.table(entity).definition
    const body: Record<string, unknown> = { ChangeEventHeader: header }
    for (const { name, parts, isCompound } of schema.fields) {
      const values: Record<string, unknown> = {}
      for (const part of parts) {
        const value = shown.value(part.field)
        // What is left out is null by the schema's default.
        if (value !== null) values[part.name] = avroValue(part.field, value)
      }
      if (!isCompound) Object.assign(body, values)
      else if (Object.keys(values).length > 0) {
        body[name] = { [`com.sforce.eventbus.${compoundType(definition, name)}`]: values }
      }
    }
    const payload = schema.type.toBuffer(body)
    if (payload.length <= MAX_BYTES) return { entity, schemaId: schema.id, payload }
    return this.bare(entity, ids, `GAP_${first.type}`, common, sequenceNumber)
  }

  private bare(
    entity: string,
    recordIds: readonly string[],
    changeType: ChangeType,
    common: Record<string, unknown>,
    sequenceNumber: number,
  ): ChangeEvent {
    const schema = this.schemaOf(entity)
    const none = { nulledFields: [], diffFields: [], changedFields: [] }
    const header = { ...common, ...none, entityName: entity, recordIds, changeType, sequenceNumber }
    const payload = schema.type.toBuffer({ ChangeEventHeader: header })
    return { entity, schemaId: schema.id, payload }
  }

  private commonHeader(actor: Actor): Record<string, unknown> {
    return {
      changeOrigin: originOf(actor),
      transactionKey: randomUUID(),
      commitTimestamp: this.state.now(),
      commitNumber: ++this.commits,
      commitUser: actor.userId,
    }
  }
}

function originOf({ channel, client, apiVersion }: Actor): string {
  if (channel === 'ui') return `com/salesforce/api/soap/${apiVersion};client=SfdcInternalAPI/`
  return `com/salesforce/api/${channel}/${apiVersion}${client === null ? '' : `;client=${client}`}`
}

/** What happened to each record in sum, in the order in which the records were touched first. */
function recordChanges(commit: Commit, watched: ReadonlySet<string>): RecordChange[] {
  const records = new Map<StoredRow, RecordChange>()
  for (const { row, version } of commit.changes) {
    if (!watched.has(row.object)) continue
    const known = records.get(row)
    const changes = known?.changes ?? new Map<string, readonly [Value, Value]>()
    for (const [name, [from, to]] of Object.entries(version.changes)) {
      changes.set(name, [changes.get(name)?.[0] ?? from, to])
    }
    const type = typeOf(version.what)
    const isFirst = known === undefined || type === 'DELETE'
    records.set(row, {
      row,
      changes,
      type: isFirst ? type : known.type,
      isConversion: version.what === 'convert' || (known?.isConversion ?? false),
    })
  }
  return [...records.values()]
}

function typeOf(what: string): RecordChange['type'] {
  switch (what) {
    case 'create':
      return 'CREATE'
    case 'delete':
    case 'merge':
      return 'DELETE'
    case 'undelete':
      return 'UNDELETE'
    default:
      return 'UPDATE'
  }
}

/** Records of one object to which exactly the same happened share an event. */
function sameChanges(records: readonly RecordChange[]): RecordChange[][] {
  const groups = new Map<string, RecordChange[]>()
  for (const record of records) {
    const { row, type, changes } = record
    const what =
      type === 'UPDATE' ? JSON.stringify([...changes].map(([name, [, to]]) => [name, to])) : ''
    const isAlone = type === 'CREATE' || type === 'UNDELETE'
    const key = isAlone ? row.id : `${row.object} ${type} ${what}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [record])
    else group.push(record)
  }
  return [...groups.values()]
}

interface ShownFields {
  readonly changed: ReadonlySet<string>
  readonly nulled: ReadonlySet<string>
  readonly diffs: ReadonlySet<string>
  value(field: FieldDefinition): Value
}

function shownFields(
  schema: ChangeSchema,
  { row, type, changes, isConversion }: RecordChange,
): ShownFields {
  const none: ReadonlySet<string> = new Set()
  if (type === 'DELETE') {
    return { changed: none, nulled: none, diffs: none, value: () => null }
  }
  if (type !== 'UPDATE') {
    return {
      changed: none,
      nulled: none,
      diffs: none,
      value: ({ name, type: kind }) => row.values[name] ?? (kind === 'boolean' ? false : null),
    }
  }
  const changed = new Set(changes.keys())
  // The event of a converted lead does not say when it was changed.
  if (!isConversion) changed.add('LastModifiedDate')
  const nulled = new Set<string>()
  const diffs = new Set<string>()
  for (const [name, [from, to]] of changes) {
    if (to === null) nulled.add(name)
    if (isLong(from) && isLong(to)) diffs.add(name)
  }
  const known = new Set(schema.fields.flatMap(({ parts }) => parts.map(({ field }) => field.name)))
  const only = (names: Set<string>) => new Set([...names].filter((name) => known.has(name)))
  return {
    changed: only(changed),
    nulled: only(nulled),
    diffs: only(diffs),
    value: ({ name }) => {
      if (!changed.has(name)) return null
      const pair = changes.get(name)
      if (pair !== undefined && diffs.has(name)) return diffOf(String(pair[0]), String(pair[1]))
      return row.values[name] ?? null
    },
  }
}

function isLong(value: Value): boolean {
  return typeof value === 'string' && value.length > LONG_TEXT
}

/** A unified diff that takes the old text away and puts the new one there. */
function diffOf(before: string, after: string): string {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const head = `--- \n+++ \n@@ -1,${old.length} +1,${fresh.length} @@`
  return [head, ...old.map((line) => `-${line}`), ...fresh.map((line) => `+${line}`)].join('\n')
}
