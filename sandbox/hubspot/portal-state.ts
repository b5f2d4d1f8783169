import { AssociationGraph } from './association-graph.ts'
import { DEFAULT_OWNERS, type Owner } from './default-owners.ts'
import { DEFAULT_GROUPS, defaultProperties } from './default-properties.ts'
import { Journal } from './journal.ts'
import { associationKinds, OBJECT_TYPE_NAMES, type ObjectType } from './object-types.ts'
import type { JournalEntry, PortalChange } from './portal-change.ts'
import type { PropertyDefinition, PropertyGroup } from './property-definition.ts'
import { RecordTable } from './record-table.ts'
import type { StoredRecord } from './stored-record.ts'
import { ValidationRules } from './validation-rules.ts'

interface PortalStateOptions {
  readonly dataDir?: string
  readonly searchLagMs: number
  /** A merge leaves the primary record its id. */
  readonly mergeKeepsId?: boolean
  readonly now: () => number
}

/** Everything the account holds. It changes only inside `transact`. */
export class PortalState {
  readonly associations = new AssociationGraph()
  readonly owners = new Map<string, Owner>()
  /** Sees each change before it is made; what it returns is called after. */
  watch: (change: PortalChange) => () => void = () => () => {}
  /** Rules that an administrator has set; they are not kept in the journal. */
  readonly rules = new ValidationRules()
  readonly mergeKeepsId: boolean
  private readonly tables: Readonly<Record<ObjectType, RecordTable>>
  private readonly propertiesOf: Readonly<Record<ObjectType, Map<string, PropertyDefinition>>>
  private readonly groupsOf: Readonly<Record<ObjectType, Map<string, PropertyGroup>>>
  private readonly journal: Journal<JournalEntry> | undefined
  private readonly now: () => number
  private pending: PortalChange[] | undefined
  private pendingAt = 0

  constructor(options: PortalStateOptions) {
    this.now = options.now
    this.mergeKeepsId = options.mergeKeepsId ?? false
    this.tables = forEachType(
      () => undefined,
      (type) => new RecordTable(type, options.searchLagMs),
    )
    this.propertiesOf = forEachType(defaultProperties, byName)
    this.groupsOf = forEachType((type) => DEFAULT_GROUPS[type], byName)
    for (const owner of DEFAULT_OWNERS) this.owners.set(owner.id, owner)
    if (options.dataDir === undefined) return
    this.journal = new Journal(options.dataDir)
    for (const entry of this.journal.replay()) {
      for (const change of entry.changes) this.perform(change, entry.at)
    }
    this.journal.restart(this.snapshot())
  }

  table(type: ObjectType): RecordTable {
    return this.tables[type]
  }

  properties(type: ObjectType): ReadonlyMap<string, PropertyDefinition> {
    return this.propertiesOf[type]
  }

  groups(type: ObjectType): ReadonlyMap<string, PropertyGroup> {
    return this.groupsOf[type]
  }

  /** Collects the changes that `work` applies and stores them as one, before anyone is told. */
  transact<Result>(work: () => Result): Result {
    const changes: PortalChange[] = []
    this.pending = changes
    this.pendingAt = this.now()
    try {
      return work()
    } finally {
      this.pending = undefined
      if (changes.length > 0) this.journal?.append({ at: this.pendingAt, changes })
    }
  }

  /** The instant of the running transaction, in milliseconds since 1970. */
  get transactionAt(): number {
    return this.pendingAt
  }

  /** Makes a change; only inside `transact`. */
  apply(change: PortalChange): void {
    if (this.pending === undefined) throw new Error('changes belong into a transaction')
    const watched = this.watch(change)
    this.perform(change, this.pendingAt)
    this.pending.push(change)
    watched()
  }

  close(): void {
    this.journal?.close()
  }

  private perform(change: PortalChange, at: number): void {
    switch (change.op) {
      case 'write':
        this.tables[change.object].write(change.write, at)
        return
      case 'archive':
        this.tables[change.object].archive(change.id, at)
        return
      case 'unarchive':
        this.tables[change.object].unarchive(change.id, at)
        return
      case 'purge':
        this.tables[change.object].purge(change.id)
        return
      case 'redirect':
        this.tables[change.object].redirect(change.id, change.into)
        return
      case 'associate':
        this.associations.add(change.from, change.to, change.link, change.reverseTypeId)
        return
      case 'dissociate':
        this.associations.remove(change.from, change.to, change.typeId, change.reverseTypeId)
        return
      case 'property':
        this.propertiesOf[change.object].set(change.definition.name, change.definition)
        return
      case 'group':
        this.groupsOf[change.object].set(change.group.name, change.group)
        return
      case 'owner':
        this.owners.set(change.owner.id, change.owner)
        return
      case 'restore':
        this.tables[change.object].restore(change.record)
        return
      case 'skip-id':
        this.tables[change.object].skipId(change.id)
    }
  }

  private *snapshot(): Generator<JournalEntry> {
    const at = this.now()
    for (const object of OBJECT_TYPE_NAMES) {
      for (const definition of this.propertiesOf[object].values()) {
        if (definition.hubspotDefined && definition.updatedAt === definition.createdAt) continue
        yield { at, changes: [{ op: 'property', object, definition }] }
      }
      for (const group of this.groupsOf[object].values()) {
        yield { at, changes: [{ op: 'group', object, group }] }
      }
      yield* this.tableSnapshot(object, at)
    }
    for (const owner of this.owners.values()) yield { at, changes: [{ op: 'owner', owner }] }
    for (const { from, to, typeId, category } of this.associations.all()) {
      const reverseTypeId = reverseOf(from.type, to.type, typeId)
      yield {
        at,
        changes: [{ op: 'associate', from, to, link: { typeId, category }, reverseTypeId }],
      }
    }
  }

  private *tableSnapshot(object: ObjectType, at: number): Generator<JournalEntry> {
    const table = this.tables[object]
    for (const record of table.records.values()) {
      yield { at, changes: [{ op: 'restore', object, record: withoutStale(record) }] }
    }
    for (const [id, into] of table.mergedInto) {
      yield { at, changes: [{ op: 'redirect', object, id, into }] }
    }
    yield { at, changes: [{ op: 'skip-id', object, id: String(table.upcomingId() - 1) }] }
  }
}

/** The type id with which the same association is seen from its other end. */
export function reverseOf(from: ObjectType, to: ObjectType, typeId: number): number {
  const kind = associationKinds(from, to).find((candidate) => candidate.typeId === typeId)
  return kind?.reverseTypeId ?? typeId
}

function withoutStale({ stale: _stale, ...record }: StoredRecord): StoredRecord {
  return record
}

function byName<Item extends { readonly name: string }>(
  _type: ObjectType,
  items: readonly Item[],
): Map<string, Item> {
  return new Map(items.map((item) => [item.name, item]))
}

function forEachType<Input, Output>(
  input: (type: ObjectType) => Input,
  make: (type: ObjectType, value: Input) => Output,
): Readonly<Record<ObjectType, Output>> {
  return Object.fromEntries(
    OBJECT_TYPE_NAMES.map((type) => [type, make(type, input(type))]),
  ) as Record<ObjectType, Output>
}
