import { at, mix, uuidOf } from '../../sandbox/company/random.ts'

/** Somebody who uses the product, as Amplitude sees them. */
export interface Profile {
  readonly n: number
  /** Null for a visitor who never signed in. */
  readonly userId: string | null
  readonly email: string | null
  readonly amplitudeId: number
  readonly role: string
  readonly plan: string
  /** Who it is once identities are joined: profiles of one e-mail address are one person. */
  readonly person: string
}

const FIRST = ['ada', 'ben', 'carla', 'dmitri', 'elena', 'femi', 'grace', 'hiro', 'ines', 'jonas']
const LAST = ['abara', 'berg', 'costa', 'dvorak', 'endo', 'fischer', 'gupta', 'haddad', 'ivanov']
const FIRMS = ['northlight', 'quarrystone', 'bluefern', 'ironvale', 'saltmarsh', 'tallgrass']
const ROLES = ['analyst', 'engineer', 'manager', 'marketer', 'founder']
const PLANS = ['trial', 'free', 'pro', 'enterprise']
const PEOPLE_PER_FIRM = 7

/**
 * The profile of a number. One in ten never signed in; one in fifty has the address of the profile
 * before it, and is the same person.
 */
export function profileOf(n: number): Profile {
  const anonymous = n % 10 === 7
  const owner = n % 50 === 49 ? n - 1 : n
  const email = anonymous ? null : emailOf(owner)
  return {
    n,
    userId: anonymous ? null : `usr_${String(n).padStart(7, '0')}`,
    email,
    amplitudeId: 500_000_000_000 + n * 1_000_003,
    role: at(ROLES, mix(n, 2) % ROLES.length),
    plan: at(PLANS, mix(n, 3) % PLANS.length),
    person: email ?? `device ${n}`,
  }
}

/** One of the (at most two) devices of a profile. */
export function deviceOf(profile: Profile, second: boolean): string {
  return uuidOf(profile.n * 2 + (second ? 1 : 0), 21)
}

function emailOf(n: number): string {
  const firm = Math.floor(n / PEOPLE_PER_FIRM)
  const host = `${at(FIRMS, mix(firm, 5) % FIRMS.length)}-${firm}.com`
  return `${at(FIRST, mix(n, 6) % FIRST.length)}.${at(LAST, mix(n, 7) % LAST.length)}.${n}@${host}`
}
