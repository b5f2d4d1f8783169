import { DISPOSABLE_MAIL, FREE_MAIL, nameCompany, namePerson, ROLES } from './names.ts'
import { DAY, HOUR, type Person, type Plan, type SampleCompanyRecord } from './people-model.ts'
import { mix, type Random } from './random.ts'
import { drawSignals, READY_SIGNALS, type Signal, toolsFor } from './signals.ts'

/** A background person and the buying signals that they are to show in the last 30 days. */
export interface BackgroundPerson {
  readonly person: Person
  readonly signals: readonly Signal[]
}

/** What the story's cast has taken already. */
export interface Taken {
  readonly companies: number
  readonly people: number
  readonly companyNames: Set<string>
  readonly emails: Set<string>
}

const COMPANIES = 300
const PEOPLE = 2000
const FREE_MAIL_PEOPLE = 118
const DISPOSABLE_PEOPLE = 8
const VISITORS = 180
const HOT_COMPANIES = 8
const READY_ALONE = 22

/** Makes the people that no story is about, company by company, then free mail, then visitors. */
export function createBackground(
  random: Random,
  taken: Taken,
  size = 1,
): readonly BackgroundPerson[] {
  const people: BackgroundPerson[] = []
  const share = (count: number) => Math.ceil(count * size)
  let hot = share(HOT_COMPANIES)
  let readyAlone = share(READY_ALONE)
  for (const { company, users } of createCompanies(random, taken, share)) {
    const isHot = users >= 6 && users <= 14 && hot > 0
    if (isHot) hot -= 1
    for (let index = 0; index < users; index++) {
      const alone = users === 1 && readyAlone > 0 && random.chance(0.6)
      if (alone) readyAlone -= 1
      const ready = alone || (isHot && index < 3)
      const host = hostOf(company.domain, index, users, random)
      people.push(createPerson(people.length, { host, company, ready, taken }, random))
    }
  }
  const free = share(FREE_MAIL_PEOPLE) + share(DISPOSABLE_PEOPLE)
  for (let index = 0; index < free; index++) {
    const host = random.pick(index < share(FREE_MAIL_PEOPLE) ? FREE_MAIL : DISPOSABLE_MAIL)
    people.push(createPerson(people.length, { host, company: null, ready: false, taken }, random))
  }
  for (let index = 0; index < share(VISITORS); index++)
    people.push(createVisitor(people.length, random))
  return people
}

/** Many small companies, some middling, few with thirty people and more. */
function createCompanies(random: Random, taken: Taken, of: (count: number) => number) {
  const companies = Array.from(
    { length: Math.max(0, of(COMPANIES) - taken.companies) },
    (_, index) => {
      const small = index % 3 === 0
      const share = small ? 0 : random.int(2, 12) * random.int(1, 12)
      return { company: createCompany(random, taken), users: small ? random.int(1, 2) : 3, share }
    },
  )
  const open = companies.filter((entry) => entry.share > 0)
  let left = of(PEOPLE) - taken.people - of(FREE_MAIL_PEOPLE) - of(DISPOSABLE_PEOPLE)
  for (const entry of companies) left -= entry.users
  const shares = open.map((entry) => [entry, entry.share] as const)
  for (; left > 0; left--) random.weighted(shares).users += 1
  return companies
}

function createCompany(random: Random, taken: Taken): SampleCompanyRecord {
  const plans: readonly (readonly [Plan, number])[] = [
    ['free', 48],
    ['trial', 18],
    ['pro', 27],
    ['enterprise', 7],
  ]
  const plan = random.weighted(plans)
  const scale = plan === 'enterprise' ? 40 : 1
  const employees = random.int(4, 25) * random.int(1, 12) * scale
  return { ...nameCompany(random, taken.companyNames), plan, employees }
}

/** Every tenth company of some size has regional sub-domains. */
function hostOf(domain: string, index: number, users: number, random: Random): string {
  const regional = users >= 5 && mix(users, domain.length) % 10 < 3
  if (!regional || index < 2 || random.chance(0.5)) return domain
  return `${random.pick(['eu', 'us'])}.${domain}`
}

interface Place {
  readonly host: string
  readonly company: SampleCompanyRecord | null
  readonly ready: boolean
  readonly taken: Taken
}

function createPerson(index: number, place: Place, random: Random): BackgroundPerson {
  const { company, ready } = place
  const tag = company === null ? `.${mix(index, 3).toString(36).slice(0, 4)}` : ''
  const signals = ready ? random.pick(READY_SIGNALS) : drawSignals(random)
  const life = drawLife(random, signals)
  const wanted = toolsFor(signals)
  const draw = random.next()
  const plan = company?.plan ?? 'free'
  const person: Person = {
    n: 1000 + index,
    ...namePerson(random, place.host, place.taken.emails, tag),
    company,
    role: random.weighted(ROLES),
    region: company?.region ?? random.pick(['us', 'eu'] as const),
    tools: { amplitude: wanted.amplitude || draw < 0.74, mixpanel: wanted.mixpanel || draw > 0.4 },
    devices: random.chance(0.15) ? 2 : 1,
    ...life,
    prompt: false,
    plans: [{ from: Number.NEGATIVE_INFINITY, plan }],
  }
  return { person, signals }
}

/** A visitor of the web site who stays unknown. */
function createVisitor(index: number, random: Random): BackgroundPerson {
  const from = -random.int(2, 88) * DAY
  const person: Person = {
    n: 1000 + index,
    name: '',
    email: null,
    company: null,
    role: '',
    region: random.pick(['us', 'eu', 'au'] as const),
    tools: { amplitude: false, mixpanel: true },
    devices: 1,
    signedUpAt: Number.POSITIVE_INFINITY,
    activeFrom: from,
    activeUntil: from + DAY,
    weight: 1,
    prompt: false,
    plans: [],
  }
  return { person, signals: [] }
}

type Life = Pick<Person, 'signedUpAt' | 'activeFrom' | 'activeUntil' | 'weight'>

/** When somebody signed up, how long they stayed, and how much they use the product. */
function drawLife(random: Random, signals: readonly Signal[]): Life {
  const minutes = random.int(0, 24 * 60) * 60_000
  if (signals.length > 0) {
    const isNew = signals.includes('activation')
    const signedUpAt = -(isNew ? random.int(14, 30) : random.int(30, 200)) * DAY + minutes
    return { signedUpAt, activeFrom: signedUpAt, activeUntil: 0, weight: random.int(10, 50) }
  }
  const weight = random.weighted([
    [random.int(2, 10), 62],
    [random.int(10, 45), 29],
    [random.int(60, 180), 7],
    [random.int(220, 450), 2],
  ] as const)
  const draw = random.next()
  if (draw < 0.32) {
    const signedUpAt = -random.int(40, 400) * DAY + minutes
    return { signedUpAt, activeFrom: signedUpAt, activeUntil: 0, weight }
  }
  if (draw < 0.4) {
    const signedUpAt = -random.int(2, 29) * DAY + minutes
    return { signedUpAt, activeFrom: signedUpAt, activeUntil: 0, weight: Math.ceil(weight / 2) }
  }
  const lastDay = random.int(draw < 0.8 ? 31 : 3, 86)
  if (draw < 0.8) {
    const signedUpAt = -(lastDay + random.int(3, 120)) * DAY + minutes
    const until = -lastDay * DAY
    return { signedUpAt, activeFrom: signedUpAt, activeUntil: until, weight }
  }
  const signedUpAt = -lastDay * DAY + minutes
  return { signedUpAt, activeFrom: signedUpAt, activeUntil: signedUpAt + 5 * HOUR, weight: 1 }
}
