import { playSession } from './activity.ts'
import { amplitudeDeviceId, amplitudeUserId } from './amplitude-rows.ts'
import type { EventLog } from './event-log.ts'
import { mixpanelDeviceId, mixpanelUserId } from './mixpanel-rows.ts'
import { DAY, HOUR, MINUTE, type Person, type SampleCompanyRecord } from './people-model.ts'
import type { Random } from './random.ts'
import { playActivation } from './signals.ts'
import type { CompanyStories } from './stories.ts'
import { type Cast, emailOf, when } from './story-cast.ts'

/** The stories that are about one person each. */
export interface Solos {
  readonly loner: Person
  readonly limit: Person
  readonly student: Person
  readonly lapsed: Person
  readonly anonymousFirst: Person
  readonly bothTools: Person
  readonly stories: Omit<CompanyStories, 'team' | 'freshTeams' | 'expansion'>
}

/** Casts the single people, each in a company of their own or in none. */
export function castSolos(cast: Cast): Solos {
  const soloAt = (name: string, domain: string, person: string, role: string, life: Life) =>
    cast.person({
      ...life,
      name: person,
      email: `${person.toLowerCase().replace(' ', '.')}@${domain}`,
      role,
      company: cast.company(name, domain, life.plan ?? 'free', 12),
    })
  const loner = soloAt('Solveig Data', 'solveig-data.io', 'Ansgar Solveig', 'Founder', {
    signedUpAt: when(24, 9),
    weight: 260,
  })
  const limit = soloAt(
    'Brightmoor Optics',
    'brightmoor-optics.com',
    'Lucia Brightman',
    'Operations Manager',
    {
      signedUpAt: when(120, 10),
      weight: 35,
    },
  )
  const student = cast.person({
    name: 'Tomas Verhoeven',
    email: 'tomas.verhoeven@gmx.net',
    role: 'Student',
    signedUpAt: when(26, 15),
    weight: 240,
    region: 'eu',
  })
  const lapsed = soloAt(
    'Quarrystone Media',
    'quarrystone-media.de',
    'Henrike Quast',
    'Head of Data',
    {
      signedUpAt: when(89, 8),
      activeUntil: -50 * DAY,
      weight: 300,
    },
  )
  const anonymousFirst = soloAt(
    'Pinehurst Ceramics',
    'pinehurst-ceramics.com.au',
    'Odette Pinehurst',
    'Product Manager',
    {
      signedUpAt: when(5, 11),
      weight: 20,
    },
  )
  const bothTools = soloAt(
    'Tarrowby Health',
    'tarrowby-health.com',
    'Micah Tarrow',
    'Data Analyst',
    {
      signedUpAt: when(70, 14),
      weight: 45,
    },
  )
  const named = (person: Person) => ({
    email: emailOf(person),
    domain: emailOf(person).split('@')[1] ?? '',
  })
  return {
    ...{ loner, limit, student, lapsed, anonymousFirst, bothTools },
    stories: {
      loner: named(loner),
      limit: named(limit),
      student: named(student),
      lapsed: named(lapsed),
      anonymousFirst: {
        ...named(anonymousFirst),
        amplitudeDeviceId: amplitudeDeviceId(anonymousFirst, 0),
        mixpanelDeviceId: mixpanelDeviceId(anonymousFirst, 0),
      },
      bothTools: {
        ...named(bothTools),
        amplitudeUserId: amplitudeUserId(bothTools),
        mixpanelUserId: mixpanelUserId(bothTools),
      },
    },
  }
}

interface Life {
  readonly signedUpAt: number
  readonly activeUntil?: number
  readonly weight: number
  readonly plan?: SampleCompanyRecord['plan']
}

/** Plays what makes each of them worth a story. */
export function playSolos(log: EventLog, solos: Solos, random: Random): void {
  const { loner, student, lapsed, limit } = solos
  const pricing = { props: { path: '/pricing' } }
  playActivation(log, loner, when(22, 16), random)
  log.add('amplitude', loner, 'API Key Created', when(20, 10))
  log.add('mixpanel', loner, 'page_viewed', when(12, 13), pricing)
  playEveryDay(log, loner, 24, 1, random)
  playActivation(log, student, when(25, 18), random)
  log.add('amplitude', student, 'API Key Created', when(17, 20))
  log.add('mixpanel', student, 'page_viewed', when(16, 21), pricing)
  playEveryDay(log, student, 25, 1, random)
  playActivation(log, lapsed, when(87, 9), random)
  log.add('mixpanel', lapsed, 'page_viewed', when(80, 9), pricing)
  log.add('amplitude', lapsed, 'API Key Created', when(78, 9))
  playEveryDay(log, lapsed, 88, 52, random)
  for (const [day, percent_used] of [
    [9, 84],
    [3, 95],
  ] as const) {
    log.add('amplitude', limit, 'Limit Status', when(day, 15), {
      props: { limit: 'seats', percent_used },
    })
  }
  playAnonymousFirst(log, solos.anonymousFirst, random)
  playActivation(log, solos.bothTools, when(68, 15), random)
}

function playEveryDay(log: EventLog, person: Person, first: number, last: number, random: Random) {
  for (let day = first; day >= last; day--) {
    if (random.chance(0.1)) continue
    const start = when(day, random.int(18, 20), random.int(0, 59))
    playSession(log, 'amplitude', person, start, random.int(5, 9), random)
  }
}

/** Two anonymous visits, then sign-up on the same devices. */
function playAnonymousFirst(log: EventLog, person: Person, random: Random): void {
  const visit = when(6, 10)
  const anonymous = { session: visit, anonymous: true }
  log.add('amplitude', person, 'session_start', visit, anonymous)
  log.add('amplitude', person, 'Dashboard Viewed', visit + 2 * MINUTE, anonymous)
  for (const [index, path] of [
    '/blog/what-to-measure-first',
    '/pricing',
    '/docs/getting-started',
  ].entries()) {
    log.add('mixpanel', person, 'page_viewed', visit + (index + 3) * MINUTE, {
      ...anonymous,
      props: { path },
    })
  }
  log.add('mixpanel', person, 'page_viewed', person.signedUpAt - 4 * MINUTE, {
    session: person.signedUpAt - 4 * MINUTE,
    anonymous: true,
    props: { path: '/docs/getting-started' },
  })
  playActivation(log, person, person.signedUpAt + 3 * HOUR, random)
  log.add('amplitude', person, 'API Key Created', when(3, 9))
  playSession(log, 'mixpanel', person, person.signedUpAt + 4 * HOUR, 6, random)
}
