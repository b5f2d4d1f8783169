import { createUsageLog, type UsageLog } from './usage-log.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/** People of the small history, by what they stand for. */
export const WHO = {
  /** Activated and invited two within the last day, with two colleagues who work: a fresh account. */
  champion: 'ana@northfield-tools.com',
  colleague: 'bo@eu.northfield-tools.com',
  newcomer: 'cy@northfield-tools.com',
  /** Qualified alone. */
  loner: 'dana@solo-works.io',
  /** The same deeds from a private address. */
  student: 'finn@gmail.com',
  /** An account that was ready days ago. */
  veteran: 'eva@oldfield-works.com',
  /** Looked at prices before she signed up. */
  latecomer: 'ivy@latecomer.dev',
  /** Came by and did nothing. */
  quiet: 'jon@quiet-mills.com',
} as const

export const DOMAINS = {
  fresh: 'northfield-tools.com',
  old: 'oldfield-works.com',
  solo: 'solo-works.io',
} as const

const START_DAYS = 9

/** First day that holds usage, for AMPLITUDE_START and MIXPANEL_START. */
export const startOf = (now: Date): string =>
  new Date(now.getTime() - START_DAYS * DAY_MS).toISOString().slice(0, 10)

/**
 * Some 60 events of a dozen people in both vendors, ending at `now`: one account is qualified by what
 * it did within the last day, one by what it did days ago, and one person by herself.
 */
export function smallUsage(now: Date): UsageLog {
  const usage = createUsageLog()
  usage.open(new Date(`${startOf(now)}T00:00:00Z`), new Date(now.getTime() + DAY_MS))
  const ago = (days: number, hours = 0) => new Date(now.getTime() - days * DAY_MS - hours * HOUR_MS)
  playTeam(usage, ['ana', 'bo', 'cy'], DOMAINS.fresh, (hours) => ago(0, hours))
  playTeam(usage, ['eva', 'gus', 'hal'], DOMAINS.old, (hours) => ago(5, hours))
  playLoner(usage, WHO.loner, ago)
  playLoner(usage, WHO.student, ago)
  const device = 'dev-ivy'
  const pricing = { path: '/pricing' }
  usage.mixpanel({ event: 'page_viewed', user: null, device, at: ago(3, 2), props: pricing })
  usage.mixpanel({ event: '$identify', user: 'm-ivy', device, at: ago(3, 1), email: WHO.latecomer })
  usage.amplitude({ event: 'Activation Reached', user: 'a-ivy', at: ago(3), email: WHO.latecomer })
  usage.mixpanel({ event: 'page_viewed', user: 'm-jon', at: ago(2), email: WHO.quiet })
  return usage
}

/** One activates and invites two, who then work; the champion is in both tools. */
function playTeam(
  usage: UsageLog,
  [first, second, third]: readonly [string, string, string],
  domain: string,
  before: (hours: number) => Date,
): void {
  const email = `${first}@${domain}`
  const champion = { user: `a-${first}`, email, traits: { plan: 'trial' } }
  usage.amplitude({ ...champion, event: 'Signed Up', at: before(21) })
  usage.amplitude({ ...champion, event: 'Activation Reached', at: before(20) })
  for (const n of [1, 2]) {
    const invite = { event: 'invite_sent', user: `m-${first}`, email, n }
    usage.mixpanel({ ...invite, at: before(19) })
  }
  const colleague = { user: `a-${second}`, email: `${second}@eu.${domain}` }
  usage.amplitude({ ...colleague, event: 'Dashboard Created', at: before(17) })
  const newcomer = { user: `a-${third}`, email: `${third}@${domain}` }
  usage.amplitude({ ...newcomer, event: 'Query Run', at: before(16), props: { rows: 12 } })
}

function playLoner(usage: UsageLog, email: string, ago: (days: number) => Date): void {
  const name = email.split('@')[0] ?? ''
  const user = { user: `a-${name}`, email }
  usage.amplitude({ ...user, event: 'Activation Reached', at: ago(6) })
  usage.amplitude({ ...user, event: 'API Key Created', at: ago(5) })
  const props = { path: '/pricing' }
  usage.mixpanel({ event: 'page_viewed', user: `m-${name}`, email, at: ago(4), props })
  for (let day = 6; day >= 1; day--) usage.amplitude({ ...user, event: 'Query Run', at: ago(day) })
}
