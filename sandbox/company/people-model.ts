/** Milliseconds. Times of the sample company are offsets from its end, so they are negative. */
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

export type Plan = 'free' | 'trial' | 'pro' | 'enterprise'
export type Region = 'us' | 'eu' | 'au'
export type Tool = 'amplitude' | 'mixpanel'

/** A made-up company that uses the product. */
export interface SampleCompanyRecord {
  readonly name: string
  /** Registrable domain. */
  readonly domain: string
  readonly region: Region
  readonly plan: Plan
  /** Employees, not users. */
  readonly employees: number
}

/** A made-up person; `email` is null for a visitor who never signs up. */
export interface Person {
  readonly n: number
  readonly name: string
  readonly email: string | null
  readonly company: SampleCompanyRecord | null
  readonly role: string
  readonly region: Region
  readonly tools: Readonly<Record<Tool, boolean>>
  readonly devices: 1 | 2
  /** When the account was made: an offset, maybe before the period. */
  readonly signedUpAt: number
  /** Between these offsets everyday use is spread. */
  readonly activeFrom: number
  readonly activeUntil: number
  /** Share of everyday use, in no unit; 0 for those whose every event is scripted. */
  readonly weight: number
  /** Every event arrives within seconds. */
  readonly prompt: boolean
  /** The plan at sign-up first; a later change is appended when it is played. */
  readonly plans: { readonly from: number; readonly plan: Plan }[]
}

/** One thing that a person did, before it is written as a vendor's row. */
export interface Happening {
  /** Unique within a company; ids are made of it. */
  readonly seq: number
  readonly person: Person
  readonly name: string
  readonly at: number
  /** Start of the session that it belongs to. */
  readonly session: number
  readonly device: number
  /** Only the device is known yet. */
  readonly anonymous: boolean
  /** Milliseconds between the event and its arrival at the vendor. */
  readonly delay: number
  readonly props: Readonly<Record<string, string | number>>
}

/** The plan that a person is on at a moment. */
export function planAt(person: Person, at: number): Plan {
  let plan: Plan = 'free'
  for (const span of person.plans) if (span.from <= at) plan = span.plan
  return plan
}
