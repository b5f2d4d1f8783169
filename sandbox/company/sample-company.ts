import { fillActivity } from './activity.ts'
import { AMPLITUDE_PROJECT, amplitudeRows } from './amplitude-rows.ts'
import { type BackgroundPerson, createBackground } from './background-people.ts'
import { createEventLog, type EventLog } from './event-log.ts'
import { isRepeated, MIXPANEL_PROJECT, mixpanelRows } from './mixpanel-rows.ts'
import { DAY, type Happening, HOUR, type Person, type SampleCompanyRecord } from './people-model.ts'
import { createRandom, type Random } from './random.ts'
import { playOldSignals, playRecentSignals } from './signals.ts'
import { type CompanyStories, castStories, type StoryCast } from './stories.ts'
import { type AnswerStories, playAnswers } from './story-answers.ts'
import type { UsageRows } from './usage-rows.ts'

/** What to generate; `end` is a UTC midnight that every event lies before. */
export interface SampleCompanyOptions {
  readonly end: Date
  readonly days?: number
  readonly seed?: number
  /** Plays three more teams over the last thirty days, for what sales answers; everybody else stays the same. */
  readonly answers?: boolean
  /** Share of the people, companies and events besides those of the stories; 1 when left out. */
  readonly size?: number
}

/** Counts over everything that both exports hold. */
export interface CompanyTotals {
  /** Rows of both exports, vendors' noise and repeated rows included. */
  readonly events: number
  readonly amplitude: number
  readonly mixpanel: number
  /** Rows of the Mixpanel export that repeat another. */
  readonly repeated: number
  /** People with an e-mail address and at least one event. */
  readonly people: number
  /** Companies with at least one such person. */
  readonly companies: number
}

/** Somebody who uses the product, as a CRM might know them. */
export interface DirectoryEntry {
  readonly email: string
  readonly name: string
  readonly role: string
  /** Null for people at a free mailbox. */
  readonly company: SampleCompanyRecord | null
}

/** A product's usage over some months, in the rows of both tools. */
export interface SampleCompany {
  /** Rows by UTC hour of upload. */
  readonly amplitude: UsageRows
  /** Rows by UTC day of the event. */
  readonly mixpanel: UsageRows
  readonly projects: { readonly amplitude: number; readonly mixpanel: number }
  readonly stories: CompanyStories
  /** Null unless they were asked for. */
  readonly answers: AnswerStories | null
  readonly totals: CompanyTotals
  readonly directory: readonly DirectoryEntry[]
}

const EVENTS_PER_DAY = { amplitude: 120_000 / 90, mixpanel: 80_000 / 90 / 1.014 }

/**
 * Makes up a dashboard product's users and what they did. The same seed and days give the same
 * usage at the same distance from `end`; rows are written out only when they are read.
 * @throws {RangeError} when `end` is not a UTC midnight.
 */
export function sampleCompany(options: SampleCompanyOptions): SampleCompany {
  const { end, days = 90, seed = 1, size = 1 } = options
  if (end.getTime() % DAY !== 0) throw new RangeError('end must be a UTC midnight')
  const random = createRandom(seed)
  const cast = castStories()
  const background = createBackground(random, takenBy(cast), size)
  const people = [...cast.people, ...background.map(({ person }) => person)]
  const log = createEventLog(days, seed, random)
  for (const person of people) playSignUp(log, person, random)
  cast.play(log, random)
  playSignals(log, background, random)
  for (const tool of ['amplitude', 'mixpanel'] as const) {
    fillActivity(log, tool, people, EVENTS_PER_DAY[tool] * days * size, days, random)
  }
  const more = options.answers
    ? playAnswers(days, seed, Math.max(...people.map(({ n }) => n)))
    : null
  const amplitude = [...log.amplitude, ...(more?.log.amplitude ?? [])]
  const mixpanel = [...log.mixpanel, ...(more?.log.mixpanel ?? [])]
  return {
    amplitude: amplitudeRows(amplitude, end),
    mixpanel: mixpanelRows(mixpanel, end),
    projects: { amplitude: AMPLITUDE_PROJECT, mixpanel: MIXPANEL_PROJECT },
    stories: cast.stories,
    answers: more?.stories ?? null,
    ...countAll({ amplitude, mixpanel }),
  }
}

function takenBy({ companies, people }: StoryCast) {
  return {
    companies: companies.length,
    people: people.length,
    companyNames: new Set(companies.map(({ name }) => name)),
    emails: new Set(people.map(({ email }) => email ?? '')),
  }
}

function playSignUp(log: EventLog, person: Person, random: Random): void {
  const at = person.signedUpAt
  log.add('amplitude', person, 'Signed Up', at)
  log.add('mixpanel', person, '$identify', at + random.int(500, 4000), { session: at })
  if (person.email !== null || random.chance(0.75)) return
  const props = { path: '/pricing' }
  log.add('mixpanel', person, 'page_viewed', person.activeFrom + HOUR, { anonymous: true, props })
}

function playSignals(log: EventLog, background: readonly BackgroundPerson[], random: Random): void {
  const colleagues = new Map<string, Person[]>()
  for (const { person } of background) {
    if (person.company === null || !person.tools.mixpanel) continue
    const known = colleagues.get(person.company.domain) ?? []
    colleagues.set(person.company.domain, [...known, person])
  }
  for (const { person, signals } of background) {
    if (person.email === null) continue
    const domain = person.company?.domain ?? ''
    const others = (colleagues.get(domain) ?? []).filter((other) => other !== person)
    const members = { person, colleagues: others }
    playRecentSignals(log, members, signals, random)
    playOldSignals(log, members, random)
  }
}

function countAll(
  log: Pick<EventLog, 'amplitude' | 'mixpanel'>,
): Pick<SampleCompany, 'totals' | 'directory'> {
  const seen = new Map<string, Person>()
  const note = ({ person, anonymous }: Happening) => {
    if (person.email !== null && !anonymous) seen.set(person.email, person)
  }
  log.amplitude.forEach(note)
  log.mixpanel.forEach(note)
  const repeated = log.mixpanel.filter(isRepeated).length
  const people = [...seen.values()].sort((a, b) => a.n - b.n)
  const amplitude = log.amplitude.length
  const mixpanel = log.mixpanel.length + repeated
  const companies = new Set(people.flatMap(({ company }) => company?.domain ?? [])).size
  return {
    totals: {
      events: amplitude + mixpanel,
      amplitude,
      mixpanel,
      repeated,
      people: people.length,
      companies,
    },
    directory: people.map(({ email, name, role, company }) => ({
      email: email ?? '',
      name,
      role,
      company,
    })),
  }
}
