import type { EventLog } from './event-log.ts'
import type { Person, SampleCompanyRecord } from './people-model.ts'
import type { Random } from './random.ts'
import { createCast } from './story-cast.ts'
import { castExpansion, playExpansion } from './story-expansion.ts'
import { castFreshTeams, playFreshTeams } from './story-fresh-teams.ts'
import { castSolos, playSolos } from './story-solos.ts'

/** One person of a story. */
export interface StoryPerson {
  readonly email: string
  readonly domain: string
}

/** Colleagues of a story; the champion is one of the members. */
export interface StoryTeam {
  readonly domain: string
  readonly champion: string
  readonly members: readonly string[]
}

/** Who to look for in the sample company, and what they stand for. */
export interface CompanyStories {
  /** Five colleagues: one activates and invites two who build, all within the last day. */
  readonly team: StoryTeam
  /** Two more companies that become ready within the last day. */
  readonly freshTeams: readonly StoryTeam[]
  /** A power user without a team: activation, API key, pricing page, daily use. */
  readonly loner: StoryPerson
  /** Stands at 95 % of the seats limit. */
  readonly limit: StoryPerson
  /** The loner's deeds from a private address: a student. */
  readonly student: StoryPerson
  /** Very active until 50 days ago, silent since. */
  readonly lapsed: StoryPerson
  /** A paying customer whose team grows towards its limit. */
  readonly expansion: StoryTeam
  /** Looked at prices before signing up; only the device tells that it was the same person. */
  readonly anonymousFirst: StoryPerson & {
    readonly amplitudeDeviceId: string
    readonly mixpanelDeviceId: string
  }
  /** In both tools under ids of their own; only the e-mail is common. */
  readonly bothTools: StoryPerson & {
    readonly amplitudeUserId: string
    readonly mixpanelUserId: string
  }
}

/** The people of the stories, and how to play them. */
export interface StoryCast {
  readonly companies: readonly SampleCompanyRecord[]
  readonly people: readonly Person[]
  readonly stories: CompanyStories
  play(log: EventLog, random: Random): void
}

/** Casts every story. The people and domains are the same for every seed. */
export function castStories(): StoryCast {
  const cast = createCast()
  const fresh = castFreshTeams(cast)
  const solos = castSolos(cast)
  const expansion = castExpansion(cast)
  return {
    companies: cast.companies,
    people: cast.people,
    stories: { ...fresh.stories, ...solos.stories, ...expansion.stories },
    play(log, random) {
      playFreshTeams(log, fresh, random)
      playSolos(log, solos, random)
      playExpansion(log, expansion, random)
    },
  }
}
