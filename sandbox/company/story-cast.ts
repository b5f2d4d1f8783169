import {
  DAY,
  HOUR,
  MINUTE,
  type Person,
  type Plan,
  type Region,
  type SampleCompanyRecord,
} from './people-model.ts'

/** What differs between the people of the stories. */
export interface Role {
  readonly name: string
  readonly email: string
  readonly role: string
  readonly signedUpAt: number
  readonly company?: SampleCompanyRecord
  readonly activeFrom?: number
  readonly activeUntil?: number
  /** Everyday use besides the script; none unless given. */
  readonly weight?: number
  readonly plan?: Plan
  readonly region?: Region
}

/** Collects the people and companies of the stories as they are cast. */
export interface Cast {
  readonly companies: SampleCompanyRecord[]
  readonly people: Person[]
  company(name: string, domain: string, plan: Plan, employees: number): SampleCompanyRecord
  person(role: Role): Person
}

/**
 * Starts an empty cast. People are numbered from 1, before everybody else.
 * @param known the greatest number that is taken: these come after it.
 */
export function createCast(known = 0): Cast {
  const companies: SampleCompanyRecord[] = []
  const people: Person[] = []
  return {
    companies,
    people,
    company(name, domain, plan, employees) {
      const company: SampleCompanyRecord = { name, domain, region: 'us', plan, employees }
      companies.push(company)
      return company
    },
    person(role) {
      const plan = role.plan ?? role.company?.plan ?? 'free'
      const person: Person = {
        n: known + people.length + 1,
        name: role.name,
        email: role.email,
        company: role.company ?? null,
        role: role.role,
        region: role.region ?? 'us',
        tools: { amplitude: true, mixpanel: true },
        devices: 1,
        signedUpAt: role.signedUpAt,
        activeFrom: role.activeFrom ?? role.signedUpAt + 2 * HOUR,
        activeUntil: role.activeUntil ?? 0,
        weight: role.weight ?? 0,
        prompt: true,
        plans: [{ from: Number.NEGATIVE_INFINITY, plan }],
      }
      people.push(person)
      return person
    },
  }
}

/** The offset of a time of day, so many days before the end; day 1 is the last one. */
export function when(day: number, hour: number, minute = 0): number {
  return -day * DAY + hour * HOUR + minute * MINUTE
}

/** The address of a person of a story. */
export function emailOf(person: Person): string {
  return person.email ?? ''
}

/** How stories name a team. */
export function teamOf(company: SampleCompanyRecord, members: readonly Person[], champion: Person) {
  return { domain: company.domain, champion: emailOf(champion), members: members.map(emailOf) }
}
