import type { AssociationEnd, AssociationLink } from './association-graph.ts'
import type { Owner } from './default-owners.ts'
import type { ObjectType } from './object-types.ts'
import type { PropertyDefinition, PropertyGroup } from './property-definition.ts'
import type { RecordWrite } from './record-table.ts'
import type { StoredRecord } from './stored-record.ts'

/** One change of the account's state; the state is nothing but the sum of these. */
export type PortalChange =
  | { readonly op: 'write'; readonly object: ObjectType; readonly write: RecordWrite }
  | { readonly op: 'archive'; readonly object: ObjectType; readonly id: string }
  | {
      readonly op: 'redirect'
      readonly object: ObjectType
      readonly id: string
      readonly into: string
    }
  | {
      readonly op: 'associate'
      readonly from: AssociationEnd
      readonly to: AssociationEnd
      readonly link: AssociationLink
      readonly reverseTypeId: number
    }
  | {
      readonly op: 'dissociate'
      readonly from: AssociationEnd
      readonly to: AssociationEnd
      readonly typeId?: number
      readonly reverseTypeId?: number
    }
  | {
      readonly op: 'property'
      readonly object: ObjectType
      readonly definition: PropertyDefinition
    }
  | { readonly op: 'group'; readonly object: ObjectType; readonly group: PropertyGroup }
  | { readonly op: 'owner'; readonly owner: Owner }
  | { readonly op: 'restore'; readonly object: ObjectType; readonly record: StoredRecord }
  /** Gets an archived record back out of the recycle bin. */
  | { readonly op: 'unarchive'; readonly object: ObjectType; readonly id: string }
  | { readonly op: 'skip-id'; readonly object: ObjectType; readonly id: string }

/** What one request changed, at one instant. */
export interface JournalEntry {
  readonly at: number
  readonly changes: readonly PortalChange[]
}
