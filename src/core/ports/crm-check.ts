import type { CrmEngagementKind, CrmObject, ProvisionPlan } from './crm.ts'

/** Something that a person should know about an account, and what to do about it. */
export interface Finding {
  /** `error`: something the mapping does will not work. `warning`: it may not, or not for every record. */
  readonly level: 'ok' | 'warning' | 'error'
  /** What it is about, in one word, such as `scopes`. */
  readonly about: string
  readonly what: string
  /** What a person does; null when there is nothing to do. */
  readonly mend: string | null
  /** What of the mapping it is about; absent when it is about the account. */
  readonly of?: FindingSubject
}

/** What of a mapping a finding is about, in the words of the mapping. */
export type FindingSubject =
  | { readonly object: CrmObject; readonly property?: string; readonly value?: string }
  /** A list or campaign, or an event, that a playbook names. */
  | { readonly target: string }

/** What a mapping does with one object. */
export interface ObjectNeeds {
  readonly object: CrmObject
  /** Properties of our own. */
  readonly plan: ProvisionPlan
  /** The CRM's own properties that are set on records we create. */
  readonly alsoWritten: readonly string[]
  /** The CRM's own properties that are read. */
  readonly read: readonly string[]
  /** Values of one of them that mean something; none when left out. */
  readonly means?: { readonly property: string; readonly values: readonly string[] }
}

/** What a mapping does with a CRM: nothing beyond it is asked of an account. */
export interface CrmNeeds {
  readonly objects: readonly ObjectNeeds[]
  readonly tasks: boolean
  /** Whether deals are read; they are not when left out. */
  readonly deals?: boolean
  /** Kinds of logged activities that are read; none when left out. */
  readonly engagements?: readonly CrmEngagementKind[]
  /** Lists or campaigns that playbooks change; none when left out. */
  readonly groups?: readonly GroupNeed[]
  /** Names of custom events that playbooks send; none when left out. */
  readonly events?: readonly string[]
}

/** A list or campaign that playbooks put records into, or take out of it. */
export interface GroupNeed {
  readonly id: string
  /** What is put into it. */
  readonly object: CrmObject
}

/** An allowance of the account; null where it cannot be told. */
export interface Allowance {
  readonly name: string
  readonly limit: number | null
  readonly used: number | null
  /** ISO 8601; null when it does not come back by itself. */
  readonly resetsAt: string | null
}

/** What there is to know about an account before anything is written. */
export interface CrmInspection {
  /** Null when the account cannot be asked. */
  readonly account: {
    readonly id: string
    /** In the vendor's words, such as `STANDARD` or `SANDBOX`. */
    readonly type: string | null
    readonly timeZone: string | null
  } | null
  readonly credential: {
    /** In our words: how it was set up. */
    readonly kind: string
    /** Null when they cannot be listed. */
    readonly scopes: readonly string[] | null
  }
  readonly allowances: readonly Allowance[]
  /** What was looked at, the well and the ill. */
  readonly findings: readonly Finding[]
}
