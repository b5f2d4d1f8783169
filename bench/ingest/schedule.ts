import { createRandom, type Random } from '../../sandbox/company/random.ts'
import { KINDS, type Kind } from './kinds.ts'
import { deviceOf, type Profile, profileOf } from './profiles.ts'

/** One row of the export. A copy has the `seq` of the event that it repeats. */
export interface PlannedRow {
  readonly seq: number
  readonly profile: Profile
  readonly device: string
  readonly kind: Kind
  readonly happenedAt: number
  readonly uploadedAt: number
}

/** What must come out of an ingestion. */
export interface Expected {
  rows: number
  /** Rows without copies. */
  events: number
  readonly people: Set<string>
  /** Rollup rows by action, `$any` and `$core` among them. */
  readonly rollup: Map<string, number>
}

export const EVENTS_PER_GROUP = 8
export const DAYS = 30
const START = Date.UTC(2026, 8, 1)
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const SEED = 20_261_121

/** Groups of a profile: a third of the days, three kinds each. */
const GROUPS_PER_PROFILE = DAYS

/** So many profiles that their lines come to about these bytes. */
export const profilesFor = (bytes: number, lineBytes: number): number =>
  Math.max(3, Math.round(bytes / (lineBytes * EVENTS_PER_GROUP * GROUPS_PER_PROFILE)))

export function emptyExpectation(): Expected {
  return { rows: 0, events: 0, people: new Set(), rollup: new Map() }
}

/**
 * The rows of each hour of upload, in order. Per day, a third of the profiles is active, with two to
 * four kinds of events and eight events of each. Most are uploaded within half a minute, 3 % up to 20
 * hours later; one in a thousand is uploaded a second time. Holds about two days at a time.
 */
export function* uploadHours(
  profiles: number,
  expected: Expected,
): Generator<{ hour: string; rows: readonly PlannedRow[] }> {
  const random = createRandom(SEED)
  const waiting = new Map<number, PlannedRow[]>()
  const upload = (row: PlannedRow) => {
    expected.rows++
    const hour = Math.floor(row.uploadedAt / HOUR)
    const rows = waiting.get(hour)
    if (rows) rows.push(row)
    else waiting.set(hour, [row])
  }
  let next = START / HOUR
  for (let day = 0; day < DAYS || waiting.size > 0; day++) {
    for (let n = 0; day < DAYS && n < profiles; n++) {
      if (random.chance(1 / 3)) playDay(profileOf(n), START + day * DAY, random, expected, upload)
    }
    for (const end = next + 24; next < end; next++) {
      const rows = waiting.get(next)
      waiting.delete(next)
      if (!rows) continue
      rows.sort((a, b) => a.uploadedAt - b.uploadedAt || a.seq - b.seq)
      yield { hour: new Date(next * HOUR).toISOString().slice(0, 13), rows }
    }
  }
}

function playDay(
  profile: Profile,
  day: number,
  random: Random,
  expected: Expected,
  upload: (row: PlannedRow) => void,
): void {
  const kinds = drawKinds(random)
  const device = deviceOf(profile, random.chance(0.1))
  expected.people.add(profile.person)
  count(expected, '$any')
  if (kinds.some((kind) => kind.core)) count(expected, '$core')
  for (const kind of kinds) {
    if (kind.action !== null) count(expected, kind.action)
    let at = day + random.int(0, 20 * 60) * MINUTE
    for (let i = 0; i < EVENTS_PER_GROUP; i++) {
      at += random.int(1000, 20 * MINUTE)
      const delay = random.chance(0.03) ? random.int(MINUTE, 20 * HOUR) : random.int(500, 30_000)
      const row = { seq: expected.events++, profile, device, kind, happenedAt: at }
      upload({ ...row, uploadedAt: at + delay })
      if (random.chance(0.001)) upload({ ...row, uploadedAt: at + delay + random.int(1, 3 * HOUR) })
    }
  }
}

/** Two to four kinds, the frequent ones more often. */
function drawKinds(random: Random): Kind[] {
  const left = [...KINDS]
  const drawn: Kind[] = []
  for (const wanted = random.int(2, 4); drawn.length < wanted; ) {
    const index = Math.floor(random.next() ** 2 * left.length)
    drawn.push(...left.splice(index, 1))
  }
  return drawn
}

const count = ({ rollup }: Expected, action: string): void => {
  rollup.set(action, (rollup.get(action) ?? 0) + 1)
}
