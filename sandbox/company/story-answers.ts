import { createEventLog, type EventLog } from './event-log.ts'
import type { Person } from './people-model.ts'
import { createRandom, type Random } from './random.ts'
import { playActivation } from './signals.ts'
import type { StoryTeam } from './stories.ts'
import { createCast, teamOf, when } from './story-cast.ts'

/** Teams of the last thirty days, for what sales answers and for what moves about a threshold. */
export interface AnswerStories {
  /** Becomes ready, falls back and becomes ready again: sales says no to the first time. */
  readonly rejected: StoryTeam
  /** The same deeds on the same days: nobody says no, and a deal is won. */
  readonly won: StoryTeam
  /** People come into the window and fall out of it: the score goes about the threshold. */
  readonly wavering: StoryTeam
}

interface Trio {
  readonly champion: Person
  readonly second: Person
  readonly third: Person
  readonly members: readonly Person[]
}

/**
 * Plays three more teams into a log of their own, so that everybody else stays as without them.
 * @param known the greatest number of somebody who is there already.
 */
export function playAnswers(days: number, seed: number, known: number) {
  const cast = createCast(known)
  const random = createRandom(seed + 4_711)
  const log = createEventLog(days, seed + 4_711, random)
  const team = (name: string, domain: string, names: readonly string[], since: number) => {
    const company = cast.company(name, domain, 'trial', 80)
    const members = names.map((person) => {
      const email = `${person.toLowerCase().replace(' ', '.')}@${domain}`
      return cast.person({ name: person, email, role: 'Analyst', company, signedUpAt: since })
    })
    const [champion = missing(), second = missing(), third = missing()] = members
    const story = teamOf(company, members, champion)
    return { story, champion, second, third, members }
  }
  const rejected = team(
    'Calder Peak',
    'calder-peak.com',
    ['Ines Calder', 'Tom Aske', 'Bea Lorn'],
    when(58, 9),
  )
  const won = team(
    'Dunmore Tidal',
    'dunmore-tidal.com',
    ['Una Dunmore', 'Kit Sorrel', 'Lew Marsh'],
    when(58, 9),
  )
  const names = ['Greta Vane', 'Ola Birk', 'Sam Thorne', 'Rui Castro', 'Mia Holt', 'Jon Reyes']
  const wavering = team('Brightwater Maps', 'brightwater-maps.com', names, when(60, 9))
  for (const person of cast.people) log.add('amplitude', person, 'Signed Up', person.signedUpAt)
  for (const trio of [rejected, won]) playTwice(log, trio, random)
  playWavering(log, wavering, random)
  return {
    log,
    people: cast.people,
    stories: { rejected: rejected.story, won: won.story, wavering: wavering.story },
  }
}

function missing(): never {
  throw new RangeError('a team has three people at least')
}

/** Ready by the third one's work; not any more when the rest leaves the window; then ready anew. */
function playTwice(log: EventLog, team: Trio, random: Random): void {
  playStart(log, team, 56, random)
  log.add('amplitude', team.third, 'Query Run', when(28, 15), { props: { rows: 120 } })
  playStart(log, team, 20, random)
}

/** Somebody finds the value and invites two, of whom one works. */
function playStart(log: EventLog, { champion, second }: Trio, day: number, random: Random): void {
  playActivation(log, champion, when(day, 11), random)
  playInvites(log, champion, day)
  log.add('amplitude', second, 'Query Run', when(day, 16), { props: { rows: 40 } })
}

function playInvites(log: EventLog, champion: Person, day: number): void {
  const props = { invitee_domain: champion.company?.domain ?? '' }
  log.add('mixpanel', champion, 'invite_sent', when(day, 13), { props })
  log.add('mixpanel', champion, 'invite_sent', when(day, 13, 2), { props })
}

/**
 * Whatever is done counts for thirty days. What is done here comes into the count or falls out of it on days that are
 * spread over the whole month: people who work, dashboards that are shared and a limit that is near.
 */
function playWavering(log: EventLog, team: Trio, random: Random): void {
  const { champion, second, third } = team
  const [, , , early = missing(), near = missing(), late = missing()] = team.members
  const query = (person: Person, day: number) =>
    log.add('amplitude', person, 'Query Run', when(day, 14), { props: { rows: 90 } })
  playActivation(log, champion, when(46, 11), random)
  playInvites(log, champion, 29)
  // Each of the two is missing between two pieces of work, and the score below the line.
  for (const day of [53, 21]) query(second, day)
  for (const day of [40, 9]) query(third, day)
  query(early, 58)
  query(late, 3)
  for (const day of [56, 47, 22, 12]) {
    log.add('mixpanel', champion, 'dashboard_shared', when(day, 15), {})
  }
  for (const day of [44, 6]) {
    const props = { limit: 'seats', percent_used: 85 }
    log.add('amplitude', near, 'Limit Status', when(day, 16), { props })
  }
}
