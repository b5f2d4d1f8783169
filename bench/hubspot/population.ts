/**
 * The generated population, the same in the process that plays HubSpot and in the one that syncs: who is
 * in the portal already, who is not, and whom HubSpot refuses.
 */
export interface Size {
  readonly contacts: number
  readonly companies: number
}

/** Contacts of others, with which some of ours are merged. */
export const STRANGERS = 500

/** What HubSpot's validation rule does not let pass. */
export const REFUSED_TEXT = 'a wording that the rule refuses'

export const contactRef = (i: number): string => `per_${String(i).padStart(7, '0')}`
export const companyRef = (i: number): string => `acc_${String(i).padStart(7, '0')}`
export const email = (i: number, { companies }: Size): string => `p${i}@${domain(i % companies)}`
export const domain = (i: number): string => `company-${i}.example`

/** One in a thousand is refused, in the first sync. */
export const isPoison = (i: number): boolean => i % 1_000 === 500
/** One contact in twenty, and one company in ten, is not in the portal and is created. */
export const isNewContact = (i: number): boolean => i % 20 === 7
export const isNewCompany = (i: number): boolean => i % 10 === 3

/** What a good record says after each of the two syncs. */
export const score = (i: number, sync: number): number => (i * 7 + sync * 13) % 101
