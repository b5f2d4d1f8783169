import type { EventLog } from './event-log.ts'
import { DAY, HOUR, MINUTE, type Person } from './people-model.ts'
import { at, type Random } from './random.ts'

/** What tells that somebody may buy. */
export type Signal = 'activation' | 'invite' | 'apiKey' | 'pricing' | 'limit'

/** Sets that together say "ready". */
export const READY_SIGNALS: readonly (readonly Signal[])[] = [
  ['activation', 'invite'],
  ['activation', 'invite', 'pricing'],
  ['activation', 'apiKey', 'pricing'],
  ['activation', 'limit', 'pricing'],
  ['activation', 'apiKey', 'limit'],
  ['activation', 'invite', 'invite', 'pricing'],
]

const WARM_SIGNALS: readonly (readonly Signal[])[] = [
  ['activation', 'apiKey'],
  ['activation', 'pricing'],
  ['activation', 'limit'],
  ['invite', 'invite'],
]

/** The signals of somebody who is not ready: mostly none, often one, seldom nearly enough. */
export function drawSignals(random: Random): readonly Signal[] {
  const none: readonly Signal[] = []
  const drawn = random.weighted([
    [none, 766],
    [['pricing'], 90],
    [['activation'], 50],
    [['apiKey'], 22],
    [['limit'], 22],
    [['invite'], 14],
    [['apiKey', 'pricing'], 8],
    [['limit', 'pricing'], 8],
    [random.pick(WARM_SIGNALS), 20],
  ] as const)
  return drawn
}

/** The tools in which these signals are seen. */
export function toolsFor(signals: readonly Signal[]): Person['tools'] {
  const web = signals.filter((signal) => signal === 'invite' || signal === 'pricing')
  return { amplitude: web.length < signals.length, mixpanel: web.length > 0 }
}

/** Somebody who shows signals, and who could accept their invitations. */
export interface Members {
  readonly person: Person
  readonly colleagues: readonly Person[]
}

/** The moment when somebody found the value: a source is connected and a dashboard built. */
export function playActivation(log: EventLog, person: Person, when: number, random: Random): void {
  const session = when - 48 * MINUTE
  const kind = random.pick(['postgres', 'bigquery', 'snowflake', 'csv', 'google_sheets'])
  log.add('amplitude', person, 'Data Source Connected', session, { session, props: { kind } })
  log.add('amplitude', person, 'Query Run', when - 30 * MINUTE, {
    session,
    props: { rows: random.int(10, 5000) },
  })
  log.add('amplitude', person, 'Dashboard Created', when - 2 * MINUTE, { session })
  log.add('amplitude', person, 'Activation Reached', when, { session })
}

/** Plays one signal. A colleague, when there is one, accepts the invitation within a day. */
export function playSignal(
  log: EventLog,
  signal: Signal,
  cast: Members,
  when: number,
  random: Random,
): void {
  const { person } = cast
  switch (signal) {
    case 'activation':
      playActivation(log, person, when, random)
      break
    case 'apiKey':
      log.add('amplitude', person, 'API Key Created', when)
      break
    case 'pricing':
      playPricing(log, person, when)
      break
    case 'limit':
      log.add('amplitude', person, 'Limit Status', when, {
        props: { limit: random.pick(['seats', 'queries']), percent_used: random.int(80, 99) },
      })
      break
    case 'invite':
      playInvite(log, cast, when, random)
  }
}

function playInvite(log: EventLog, cast: Members, when: number, random: Random): void {
  const { person, colleagues } = cast
  const domain = person.company?.domain ?? person.email?.split('@')[1] ?? ''
  log.add('mixpanel', person, 'invite_sent', when, { props: { invitee_domain: domain } })
  if (colleagues.length === 0) return
  const accepted = Math.min(when + random.int(1, 20) * HOUR, -DAY - HOUR)
  log.add('mixpanel', random.pick(colleagues), 'invite_accepted', accepted)
}

/** Somebody without an account yet is seen by device only. */
function playPricing(log: EventLog, person: Person, when: number): void {
  const anonymous = when < person.signedUpAt
  log.add('mixpanel', person, 'page_viewed', when - 40_000, {
    session: when - 40_000,
    anonymous,
    props: { path: '/blog/dashboards-people-read' },
  })
  log.add('mixpanel', person, 'page_viewed', when, {
    session: when - 40_000,
    anonymous,
    props: { path: '/pricing' },
  })
}

/** Plays fresh signals within the last 30 days, yet before the last day. */
export function playRecentSignals(
  log: EventLog,
  cast: Members,
  signals: readonly Signal[],
  random: Random,
): void {
  const earliest = Math.max(cast.person.signedUpAt + 2 * HOUR, -28 * DAY)
  const latest = -1.5 * DAY
  for (const signal of signals) {
    const early = signal === 'pricing' && cast.person.signedUpAt > -27 * DAY && random.chance(0.4)
    const when = early
      ? cast.person.signedUpAt - random.int(10, 1500) * MINUTE
      : earliest + random.next() * (latest - earliest)
    playSignal(log, signal, cast, when, random)
  }
}

const OLD_SETS: readonly (readonly [readonly Signal[], number])[] = [
  [[], 52],
  [['activation'], 18],
  [['pricing'], 9],
  [['apiKey'], 5],
  [['limit'], 4],
  [['invite'], 4],
  [['activation', 'invite', 'pricing'], 4],
  [['activation', 'invite', 'invite', 'apiKey'], 4],
]

/** Plays what happened earlier than 31 days ago, and the purchase that often followed much of it. */
export function playOldSignals(log: EventLog, cast: Members, random: Random): void {
  const { person } = cast
  const earliest = Math.max(person.signedUpAt + 2 * HOUR, -88 * DAY)
  const latest = Math.min(person.activeUntil, -32 * DAY)
  const drawn = random.weighted(OLD_SETS)
  // What is known of new people is fresh, and nobody activates twice.
  const newcomer = person.signedUpAt > -90 * DAY
  const signals = drawn.filter((signal) => signal !== 'activation' || newcomer)
  const buys = random.chance(at([0.015, 0.06, 0.2, 0.4, 0.55], signals.length))
  if (latest <= earliest) return
  const start = earliest + random.next() * (latest - earliest) * 0.7
  for (const signal of signals) {
    const when = Math.min(start + random.next() * 5 * DAY, latest)
    playSignal(log, signal, cast, when, random)
  }
  const buying = start + random.int(5, 15) * DAY
  if (buys && buying < -DAY) log.changePlan(person, 'pro', buying)
}
