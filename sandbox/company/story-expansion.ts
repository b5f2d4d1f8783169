import type { EventLog } from './event-log.ts'
import { HOUR, type Person } from './people-model.ts'
import type { Random } from './random.ts'
import type { CompanyStories } from './stories.ts'
import { type Cast, teamOf, when } from './story-cast.ts'

/** A paying customer whose team grows. */
export interface Expansion {
  readonly champion: Person
  readonly settled: readonly Person[]
  readonly joiners: readonly Person[]
  readonly domain: string
  readonly stories: Pick<CompanyStories, 'expansion'>
}

/** Casts four who have been there long and three who join. */
export function castExpansion(cast: Cast): Expansion {
  const company = cast.company('Holmquist Mobility', 'holmquist-mobility.com', 'pro', 420)
  const join = (name: string, role: string, signedUpAt: number, weight: number) =>
    cast.person({
      name,
      email: `${name.toLowerCase().replace(' ', '.')}@${company.domain}`,
      role,
      company,
      signedUpAt,
      weight,
    })
  const champion = join('Freja Holmquist', 'Head of Data', when(210, 9), 90)
  const settled = [
    join('Marcus Odell', 'Data Analyst', when(190, 9), 70),
    join('Yara Benning', 'Product Manager', when(150, 9), 40),
    join('Stellan Brook', 'Data Analyst', when(95, 9), 40),
  ]
  const joiners = [
    join('Priya Sundqvist', 'Marketing Manager', when(18, 13), 30),
    join('Otis Larkham', 'Software Engineer', when(11, 9), 30),
    join('Wren Calloway', 'Operations Manager', when(5, 10), 30),
  ]
  const stories = { expansion: teamOf(company, [champion, ...settled, ...joiners], champion) }
  return { champion, settled, joiners, domain: company.domain, stories }
}

/** Plays the invitations, the joining and the approach to the limit. */
export function playExpansion(log: EventLog, expansion: Expansion, random: Random): void {
  const { champion, joiners, domain } = expansion
  for (const joiner of joiners) {
    const invited = joiner.signedUpAt - random.int(1, 20) * HOUR
    log.add('mixpanel', champion, 'invite_sent', invited, { props: { invitee_domain: domain } })
    log.add('mixpanel', joiner, 'invite_accepted', joiner.signedUpAt + 60_000)
    log.add('mixpanel', joiner, 'dashboard_shared', joiner.signedUpAt + 5 * HOUR)
  }
  for (const [day, percent_used] of [
    [40, 52],
    [16, 71],
    [10, 79],
    [4, 85],
  ] as const) {
    log.add('amplitude', champion, 'Limit Status', when(day, 11), {
      props: { limit: 'seats', percent_used },
    })
  }
}
