/** Who is there, the same in the process that plays HubSpot and in the one that works. */
export const PEOPLE = 10_000
export const ACCOUNTS = 2_500
/** Accounts that the window qualifies, each with one person. */
export const QUALIFIED = 25

export const domain = (account: number): string => `bench-company-${account}.com`
export const email = (person: number): string => `p${person}@${domain(person % ACCOUNTS)}`
export const userId = (person: number): string => `u-${person}`

const HISTORY = ['Signed Up']
/** What moves the score of everybody else by more than a dead band. */
const OTHERS = ['API Key Created']
/** By which place in the account; together they are a team that is ready. */
const TEAM = [
  ['Activation Reached', 'invite_sent', 'invite_sent'],
  ['Dashboard Created'],
  ['Query Run'],
  ['Query Run'],
]

/** What one person did, before and in the window. */
export function deedsOf(person: number, isWindow: boolean): readonly string[] {
  if (!isWindow) return HISTORY
  const account = person % ACCOUNTS
  return account < QUALIFIED ? (TEAM[Math.floor(person / ACCOUNTS)] ?? OTHERS) : OTHERS
}
