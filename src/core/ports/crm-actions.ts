import type { CrmObject } from './crm.ts'

/** Somebody who comes into a group of the CRM or leaves it: a static list of HubSpot, a campaign of Salesforce. */
export interface CrmMembership {
  /** The CRM's id of the list or campaign. */
  readonly groupId: string
  readonly object: CrmObject
  readonly crmId: string
  readonly act: 'add' | 'remove'
  /** How the member stands in the campaign; the CRM's default when null. */
  readonly status: string | null
}

/** Something that took place, for the timeline of a record. */
export interface CrmEvent {
  /** A UUID; the CRM keeps one event of it, however often it is sent. */
  readonly id: string
  /** As the CRM has it, such as `pe4242424_became_ready`. */
  readonly name: string
  readonly object: CrmObject
  readonly crmId: string
  /** ISO 8601 UTC. */
  readonly at: string
  readonly properties: Readonly<Record<string, string>>
}

export type ActionOutcome =
  /** It is as it was asked for, also where it was so before. */
  | { readonly kind: 'done' }
  /** There is no such record any more. */
  | { readonly kind: 'missing' }
  | {
      readonly kind: 'rejected'
      readonly reason: string
      readonly code: string | null
      readonly correlationId: string | null
    }
  /** The answer does not say. Asking again is safe. */
  | { readonly kind: 'unknown' }

/** What a CRM can do besides records and tasks; failures are those of the port. */
export interface CrmActions {
  /** What its groups are, in one word. */
  readonly groups: 'list' | 'campaign'
  /** `outcomes[i]` answers `memberships[i]`; the later of two of one record and group stands. */
  setMemberships(
    memberships: readonly CrmMembership[],
    signal: AbortSignal,
  ): Promise<readonly ActionOutcome[]>
  /** `outcomes[i]` answers `events[i]`. Absent where the CRM has no such thing. */
  sendEvents?(events: readonly CrmEvent[], signal: AbortSignal): Promise<readonly ActionOutcome[]>
}
