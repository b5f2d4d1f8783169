import { type EventLog, LAST_EVENT } from './event-log.ts'
import { DAY, HOUR, MINUTE, type Person, type Region, type Tool } from './people-model.ts'
import { mix, type Random } from './random.ts'

const AMPLITUDE_USE: readonly (readonly [string, number])[] = [
  ['Dashboard Viewed', 46],
  ['Query Run', 38],
  ['Report Exported', 7],
  ['Dashboard Created', 4],
  ['Limit Status', 4],
  ['Data Source Connected', 1],
]
const MIXPANEL_USE: readonly (readonly [string, number])[] = [
  ['page_viewed', 66],
  ['comment_added', 22],
  ['dashboard_shared', 12],
]
const PATHS = [
  '/docs/getting-started',
  '/docs/data-sources/postgres',
  '/docs/data-sources/bigquery',
  '/docs/dashboards/filters',
  '/docs/queries/parameters',
  '/docs/api/authentication',
  '/docs/sharing/permissions',
  '/blog/what-to-measure-first',
  '/blog/dashboards-people-read',
  '/blog/release-notes',
]
const OFFICE_HOURS: Readonly<Record<Region, number>> = { us: 14, eu: 7, au: 22 }
const KINDS = ['postgres', 'bigquery', 'snowflake', 'csv', 'google_sheets']

/** Adds everyday use until a tool holds about `target` events, in proportion to people's weights. */
export function fillActivity(
  log: EventLog,
  tool: Tool,
  people: readonly Person[],
  target: number,
  days: number,
  random: Random,
): void {
  const spans = people
    .filter((person) => person.tools[tool] && person.weight > 0)
    .map((person) => ({
      person,
      from: Math.max(person.activeFrom, -days * DAY),
      until: Math.min(person.activeUntil, LAST_EVENT - 10 * MINUTE),
    }))
    .filter(({ from, until }) => from < until)
  const sum = spans.reduce((total, span) => total + amountOf(span), 0)
  let carry = 0
  const room = Math.max(0, target - log[tool].length)
  for (const span of spans) {
    carry += (room * amountOf(span)) / sum
    const share = Math.floor(carry)
    carry -= share
    playShare(log, tool, span, share, random)
  }
}

interface Span {
  readonly person: Person
  readonly from: number
  readonly until: number
}

/** How much somebody does depends on how long they stayed, in days. */
function amountOf({ person, from, until }: Span): number {
  return person.weight * Math.max(3, (until - from) / DAY)
}

function playShare(log: EventLog, tool: Tool, span: Span, share: number, random: Random): void {
  for (let left = share; left > 0; ) {
    const size = Math.min(left, random.int(3, 14))
    playSession(log, tool, span.person, drawStart(span, random), size, random)
    left -= size
  }
}

/** A moment in the person's office hours; two days of each seven are quiet. */
function drawStart(span: Span, random: Random): number {
  const { person, from, until } = span
  for (let attempt = 0; attempt < 12; attempt++) {
    const when = from + random.next() * (until - from)
    const day = Math.floor(when / DAY)
    const dayOfSeven = ((day % 7) + 7) % 7
    if ((dayOfSeven === 2 || dayOfSeven === 3) && random.chance(0.75)) continue
    const offset = (OFFICE_HOURS[person.region] * HOUR + random.int(0, 9 * 60) * MINUTE) % DAY
    const start = day * DAY + offset
    if (start >= from && start < until) return start
  }
  return from + random.next() * (until - from)
}

/** One visit: vendors wrap it in noise of their own. */
export function playSession(
  log: EventLog,
  tool: Tool,
  person: Person,
  start: number,
  size: number,
  random: Random,
): void {
  const anonymous = person.email === null || start < person.signedUpAt
  const device = person.devices === 2 && mix(person.n, Math.floor(start / HOUR)) % 4 === 0 ? 1 : 0
  let when = start
  for (let index = 0; index < size; index++) {
    const details = { session: start, device, anonymous }
    const drawn = drawNoise(tool, index, size, random)
    const noise = anonymous && drawn === '$identify' ? null : drawn
    const name = noise ?? drawUse(tool, anonymous, random)
    log.add(tool, person, name, Math.min(when, LAST_EVENT), {
      ...details,
      props: noise === null ? propsOf(name, random) : {},
    })
    when += random.int(4000, 170_000)
  }
}

function drawUse(tool: Tool, anonymous: boolean, random: Random): string {
  if (tool === 'mixpanel') return anonymous ? 'page_viewed' : random.weighted(MIXPANEL_USE)
  return random.weighted(AMPLITUDE_USE)
}

function drawNoise(tool: Tool, index: number, size: number, random: Random): string | null {
  const draw = random.next()
  if (tool === 'mixpanel') {
    if (index === size - 1 && size > 2 && draw < 0.6) return '$ae_session'
    return index === 0 && draw < 0.06 ? '$identify' : null
  }
  if (index === 0 && draw < 0.55) return 'session_start'
  if (index === 0 && draw < 0.7) return '[Amplitude] Start Session'
  if (index === size - 1 && size > 2 && draw < 0.5) return 'session_end'
  return draw > 0.985 ? '$identify' : null
}

function propsOf(name: string, random: Random): Readonly<Record<string, string | number>> {
  if (name === 'page_viewed') return { path: random.pick(PATHS) }
  if (name === 'Query Run') return { rows: random.int(1, 900) * random.int(1, 60) }
  if (name === 'Data Source Connected') return { kind: random.pick(KINDS) }
  if (name === 'Limit Status') {
    return { limit: random.pick(['seats', 'queries']), percent_used: random.int(5, 70) }
  }
  return {}
}
