import type { AssociationEnd } from './association-graph.ts'
import { OBJECT_TYPES, type ObjectType } from './object-types.ts'
import type { PortalChange } from './portal-change.ts'
import type { PortalState } from './portal-state.ts'
import type { RecordWrite } from './record-table.ts'

/** What a webhook tells of one change, without the frame of a delivery. */
export interface PortalEvent {
  /** Such as `contact.propertyChange`; `object.…` for types that have no name of their own there. */
  readonly type: string
  /** Milliseconds since 1970. */
  readonly occurredAt: number
  readonly details: Readonly<Record<string, unknown>>
}

/** Types that webhooks know by name. */
const NAMED: readonly ObjectType[] = ['contacts', 'companies', 'deals']
const NO_SUBSCRIPTION: ReadonlySet<string> = new Set(['num_unique_conversion_events'])

/** Turns the changes of an account into the events that HubSpot sends for them. */
export class WebhookFeed {
  private readonly state: PortalState
  private readonly emit: (event: PortalEvent) => void
  private readonly now: () => number
  private merging: string[] = []

  constructor(state: PortalState, now: () => number, emit: (event: PortalEvent) => void) {
    this.state = state
    this.now = now
    this.emit = emit
  }

  /** To be called before a change; the result after it. */
  watch(change: PortalChange): () => void {
    switch (change.op) {
      case 'write':
        return this.written(change.object, change.write)
      case 'redirect':
        this.merging.push(change.id)
        return () => {}
      case 'archive':
      case 'purge': {
        const isThere = this.state.table(change.object).live(change.id) !== undefined
        return () => {
          if (isThere) this.tell(change.object, 'deletion', change.id)
          if (change.op === 'purge') this.tell(change.object, 'privacyDeletion', change.id)
        }
      }
      case 'unarchive':
        return () => this.tell(change.object, 'restore', change.id)
      case 'associate':
        return this.associated(change.from, change.to, change.link.typeId, false)
      case 'dissociate':
        return this.associated(change.from, change.to, change.typeId, true)
      default:
        return () => {}
    }
  }

  private written(object: ObjectType, { id, set, source }: RecordWrite): () => void {
    const before = this.state.table(object).records.get(id)
    const old = { ...before?.properties }
    if (source === 'MERGE_OBJECTS') return () => this.merged(object, id, Object.keys(set).length)
    const made = /^\d+$/.test(source)
      ? { changeSource: 'INTEGRATION', sourceId: source }
      : { changeSource: source }
    return () => {
      if (!before) this.tell(object, 'creation', id, { ...made, changeFlag: 'CREATED' })
      for (const [propertyName, propertyValue] of Object.entries(set)) {
        if ((old[propertyName] ?? '') === propertyValue || NO_SUBSCRIPTION.has(propertyName))
          continue
        this.tell(object, 'propertyChange', id, { propertyName, propertyValue, ...made })
      }
    }
  }

  private merged(object: ObjectType, id: string, moved: number): void {
    // Where the primary record keeps its id, only the other one went.
    const isKept = this.merging.length === 1
    const [primaryObjectId, ...merged] = [...(isKept ? [id] : []), ...this.merging].map(Number)
    this.merging = []
    this.tell(object, 'merge', String(primaryObjectId), {
      primaryObjectId,
      mergedObjectIds: merged,
      ...(isKept ? {} : { newObjectId: Number(id) }),
      numberOfPropertiesMoved: moved,
    })
  }

  /** Told once for each end. */
  private associated(
    from: AssociationEnd,
    to: AssociationEnd,
    typeId: number | undefined,
    associationRemoved: boolean,
  ): () => void {
    return () => {
      for (const [one, other] of [
        [from, to],
        [to, from],
      ] as const) {
        if (!NAMED.includes(one.type) || !NAMED.includes(other.type)) continue
        const names = [one, other].map((end) => OBJECT_TYPES[end.type].singular.toUpperCase())
        this.tell(one.type, 'associationChange', undefined, {
          associationType: names.join('_TO_'),
          fromObjectId: Number(one.id),
          toObjectId: Number(other.id),
          associationRemoved,
          isPrimaryAssociation: typeId === 1 || typeId === 2,
          changeSource: 'INTEGRATION',
        })
      }
    }
  }

  private tell(
    object: ObjectType,
    what: string,
    id: string | undefined,
    details: Readonly<Record<string, unknown>> = {},
  ): void {
    const { singular, typeId } = OBJECT_TYPES[object]
    const isNamed = NAMED.includes(object)
    this.emit({
      type: `${isNamed ? singular : 'object'}.${what}`,
      occurredAt: this.now(),
      details: {
        ...(id === undefined ? {} : { objectId: Number(id) }),
        ...(isNamed ? {} : { objectTypeId: typeId }),
        ...details,
      },
    })
  }
}
