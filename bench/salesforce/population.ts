/**
 * The generated population, the same in the process that plays Salesforce and in those that sync: who is
 * in the org already and as what, who is not, and whom Salesforce refuses.
 */
export interface Size {
  readonly people: number
  readonly accounts: number
  /** So many records of one kind are a job of the Bulk API. */
  readonly bulkFrom: number
}

/** What Salesforce's validation rule does not let pass. */
export const REFUSED_TEXT = 'a wording that the rule refuses'
/** The code that Salesforce refuses it with. */
export const REFUSAL = 'FIELD_CUSTOM_VALIDATION_EXCEPTION'
/** The share of all records that somebody holds when they are written for the first time in a sync. */
export const LOCKED_SHARE = 0.05

export const personRef = (i: number): string => `per_${String(i).padStart(7, '0')}`
export const accountRef = (i: number): string => `acc_${String(i).padStart(7, '0')}`
export const accountOf = (i: number, { accounts }: Size): number => i % accounts
export const email = (i: number, size: Size): string => `p${i}@${domain(accountOf(i, size))}`
export const domain = (i: number): string => `company-${i}.example`

/** One person in twenty, and one account in ten, is not in the org and is created: a person as a lead. */
export const isNewPerson = (i: number): boolean => i % 20 === 7
export const isNewAccount = (i: number): boolean => i % 10 === 3
/** A third of all people are leads. */
export const isLead = (i: number): boolean => i % 3 === 1
/** One in a thousand is refused, in every sync. */
export const isPoison = (i: number): boolean => i % 1_000 === 500

/** What a record says after each of the two syncs. */
export const score = (i: number, sync: number): number => (i * 7 + sync * 13) % 101
export const grade = (i: number, sync: number): string => 'ABCD'[(i + sync) % 4] ?? ''
export const reason = (i: number): string => (isPoison(i) ? REFUSED_TEXT : `reason ${i}`)
export const accountReason = (i: number): string => `use of company ${i}`

export function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i)
}
