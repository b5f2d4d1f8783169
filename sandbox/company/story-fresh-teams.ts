import { playSession } from './activity.ts'
import type { EventLog } from './event-log.ts'
import { MINUTE, type Person } from './people-model.ts'
import type { Random } from './random.ts'
import { playActivation } from './signals.ts'
import type { CompanyStories } from './stories.ts'
import { type Cast, teamOf, when } from './story-cast.ts'

interface FreshTeam {
  readonly members: readonly [Person, Person, Person, ...Person[]]
  readonly champion: Person
  readonly domain: string
}

/** Three teams that become ready within the last day. */
export interface FreshTeams {
  readonly team: FreshTeam
  readonly second: FreshTeam
  readonly third: FreshTeam
  readonly stories: Pick<CompanyStories, 'team' | 'freshTeams'>
}

/** Casts the three teams. */
export function castFreshTeams(cast: Cast): FreshTeams {
  const first = cast.company('Larkspur Kinetics', 'larkspur-kinetics.com', 'trial', 140)
  const join = (name: string, role: string, signedUpAt: number, host: string, company = first) =>
    cast.person({
      name,
      email: `${name.toLowerCase().replace(' ', '.')}@${host}`,
      role,
      company,
      signedUpAt,
    })
  const champion = join('Maren Holloway', 'Head of Data', when(1, 5, 52), first.domain)
  const members = [
    champion,
    join('Joel Castellan', 'Data Analyst', when(1, 9, 40), first.domain),
    join('Sunniva Prakash', 'Product Manager', when(1, 11, 5), `eu.${first.domain}`),
    join('Teodor Wick', 'Software Engineer', when(1, 12, 30), `us.${first.domain}`),
    join('Abigail Renner', 'VP Marketing', when(1, 15, 10), first.domain),
  ] as const
  const second = castTrio(
    cast,
    'Ostermark Freight',
    'ostermark-freight.io',
    ['Ilse Ostrander', 'Ravi Lindholm', 'Paloma Strand'],
    3,
  )
  const third = castTrio(
    cast,
    'Fennimore Labs',
    'fennimore-labs.co.uk',
    ['Callum Fenwright', 'Nora Ashby-Cole', 'Dev Marlowe'],
    6,
  )
  return {
    team: { members, champion, domain: first.domain },
    second: second.team,
    third: third.team,
    stories: {
      team: teamOf(first, members, champion),
      freshTeams: [second.story, third.story],
    },
  }
}

function castTrio(
  cast: Cast,
  name: string,
  domain: string,
  names: readonly [string, string, string],
  hour: number,
) {
  const company = cast.company(name, domain, 'free', 60)
  const join = (person: string, role: string, signedUpAt: number) =>
    cast.person({
      name: person,
      email: `${person.toLowerCase().replace(' ', '.')}@${domain}`,
      role,
      company,
      signedUpAt,
    })
  const champion = join(names[0], 'Operations Manager', when(1, hour))
  const members = [
    champion,
    join(names[1], 'Data Analyst', when(1, hour + 4)),
    join(names[2], 'Product Manager', when(1, hour + 7)),
  ] as const
  return { team: { members, champion, domain }, story: teamOf(company, members, champion) }
}

/** Plays the last day of the three teams. */
export function playFreshTeams(log: EventLog, teams: FreshTeams, random: Random): void {
  playTeam(log, teams.team, random)
  playTrio(log, teams.second, 3, ['apiKey'], random)
  playTrio(log, teams.third, 6, ['pricing'], random)
}

function playTeam(log: EventLog, { members, champion, domain }: FreshTeam, random: Random): void {
  const [, joel, sunniva] = members
  const props = { invitee_domain: domain }
  playActivation(log, champion, when(1, 7, 5), random)
  log.add('mixpanel', champion, 'page_viewed', when(1, 8, 20), { props: { path: '/pricing' } })
  log.add('mixpanel', champion, 'invite_sent', when(1, 9, 2), { props })
  log.add('mixpanel', champion, 'invite_sent', when(1, 9, 4), { props })
  log.add('mixpanel', joel, 'invite_accepted', when(1, 9, 42))
  log.add('mixpanel', sunniva, 'invite_accepted', when(1, 11, 8))
  log.add('amplitude', joel, 'Dashboard Created', when(1, 10, 31))
  log.add('amplitude', joel, 'Query Run', when(1, 10, 50), { props: { rows: 1840 } })
  log.add('amplitude', sunniva, 'Dashboard Created', when(1, 13, 17))
  log.add('amplitude', sunniva, 'Report Exported', when(1, 13, 40))
  log.add('mixpanel', champion, 'dashboard_shared', when(1, 12, 12))
  log.add('mixpanel', joel, 'comment_added', when(1, 14, 26))
  for (const person of members) playLastDay(log, person, random)
}

function playTrio(
  log: EventLog,
  { members, champion, domain }: FreshTeam,
  hour: number,
  extra: readonly ('apiKey' | 'pricing')[],
  random: Random,
): void {
  const [, second, third] = members
  const props = { invitee_domain: domain }
  playActivation(log, champion, when(1, hour + 1, 30), random)
  log.add('mixpanel', champion, 'invite_sent', when(1, hour + 3, 10), { props })
  log.add('mixpanel', champion, 'invite_sent', when(1, hour + 3, 12), { props })
  log.add('mixpanel', second, 'invite_accepted', when(1, hour + 4, 2))
  log.add('mixpanel', third, 'invite_accepted', when(1, hour + 7, 2))
  log.add('amplitude', second, 'Dashboard Created', when(1, hour + 5, 20))
  log.add('amplitude', third, 'Query Run', when(1, hour + 8, 15), { props: { rows: 312 } })
  if (extra.includes('apiKey')) {
    log.add('amplitude', champion, 'API Key Created', when(1, hour + 6))
  }
  if (extra.includes('pricing')) {
    log.add('mixpanel', champion, 'page_viewed', when(1, hour + 6), { props: { path: '/pricing' } })
  }
  for (const person of members) playLastDay(log, person, random)
}

/** Ordinary use after sign-up, ending before the day does. */
function playLastDay(log: EventLog, person: Person, random: Random): void {
  const start = person.signedUpAt + 35 * MINUTE
  playSession(log, 'amplitude', person, start, random.int(8, 14), random)
  playSession(log, 'mixpanel', person, start + 50 * MINUTE, random.int(4, 8), random)
  playSession(log, 'amplitude', person, start + 170 * MINUTE, random.int(8, 14), random)
}
