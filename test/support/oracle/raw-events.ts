import { JUNK_IDS } from '../../../src/core/identity/junk.ts'

/** One event as a vendor wrote it down, with its times made instants (milliseconds since 1970 UTC). */
export interface RawEvent {
  readonly source: string
  readonly name: string
  readonly at: number
  readonly arrived: number
  /** Where it stood: the hour of upload or the day; of copies that arrived together the later one counts. */
  readonly window: string
  /** Equal for copies of one event. */
  readonly key: string
  /** The vendor's id that the event counts for, such as `amplitude/u:17`; null when it names nobody. */
  readonly node: string | null
  readonly properties: Readonly<Record<string, unknown>>
}

type Row = Readonly<Record<string, unknown>>

/** Amplitude (Export API): all times are UTC, written with a space and without a zone. */
export function amplitudeEvent(line: string, window: string): RawEvent {
  const row = JSON.parse(line) as Row
  const at = row['event_time'] ?? row['client_event_time'] ?? row['server_upload_time']
  const properties = (row['event_properties'] ?? {}) as Row
  const told = [row['event_type'], row['event_time'], row['user_id'], row['device_id'], properties]
  return {
    source: 'amplitude',
    name: String(row['event_type']),
    at: utcOf(String(at)),
    arrived: utcOf(String(row['server_upload_time'] ?? row['event_time'])),
    window,
    key: textOf(row['uuid']) ?? JSON.stringify(told),
    node: nodeOf('amplitude', row['user_id'], row['device_id'], row['amplitude_id']),
    properties,
  }
}

/** `2026-09-10 08:00:00.123000`, to the millisecond. */
const utcOf = (text: string): number => Date.parse(`${text.replace(' ', 'T').slice(0, 23)}Z`)

/**
 * Mixpanel (raw export): `time` is the wall clock of the project written as if it were UTC.
 * @param zone the project's; `UTC` for those from 2023 on.
 */
export function mixpanelEvent(line: string, zone = 'UTC'): RawEvent {
  const { event, properties } = JSON.parse(line) as { event: string; properties: Row }
  const wall = Number(properties['time']) * 1000
  const processed = properties['mp_processing_time_ms']
  const isImport = properties['$import'] === true
  const taken = properties['$mp_api_timestamp_ms'] ?? processed
  const at = instantOf(wall, zone, isImport || taken === undefined ? null : Number(taken))
  const distinct = String(properties['distinct_id'] ?? '')
  const device =
    properties['$device_id'] || (distinct.startsWith('$device:') ? distinct.slice(8) : null)
  const alias = properties['$distinct_id_before_identity'] || distinct
  const name =
    event === '$hotshard_events' ? String(properties['mp_original_event_name'] ?? event) : event
  return {
    source: 'mixpanel',
    name,
    at,
    arrived: processed === undefined ? at : Number(processed),
    window: new Date(wall).toISOString().slice(0, 10),
    key: `${name}|${textOf(properties['$insert_id']) || JSON.stringify(properties)}`,
    node: nodeOf('mixpanel', properties['$user_id'], device, alias),
    properties,
  }
}

const SKEW_MS = 5 * 60_000

/** The instant of a wall clock; of an hour that comes twice, the first if it was taken in before the second. */
function instantOf(wall: number, zone: string, taken: number | null): number {
  if (zone === 'UTC') return wall
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: zone,
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  const wallOf = (at: number) => Date.parse(`${format.format(at).replace(' ', 'T')}Z`) + (at % 1000)
  // Every quarter of an hour by which a zone may lie off UTC, the earliest instant first.
  const fits = Array.from({ length: 121 }, (_, n) => wall + (n / 4 - 15) * 3_600_000).filter(
    (at) => wallOf(at) === wall,
  )
  const [first, second] = fits
  // A time that clocks skip is taken an hour later.
  if (first === undefined) return instantOf(wall + 3_600_000, zone, taken)
  if (second === undefined) return first
  return taken !== null && taken < second - SKEW_MS ? first : second
}

/** The user id, else the device, else what only links; ids that name nobody do not count. */
function nodeOf(source: string, user: unknown, device: unknown, alias: unknown): string | null {
  for (const [kind, id] of [
    ['u', user],
    ['d', device],
    ['a', alias],
  ] as const) {
    const text = textOf(id)
    if (text !== null && !JUNK_IDS.includes(text.trim().toLowerCase()))
      return `${source}/${kind}:${text}`
  }
  return null
}

/** A JSON value as conditions see it. */
export function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

const DAY_MS = 86_400_000

/** One of all copies of an event on one UTC day: the one that arrived last. */
export function withoutCopies(events: readonly RawEvent[]): RawEvent[] {
  const winners = new Map<string, RawEvent>()
  for (const event of events) {
    const name = `${event.source}|${Math.floor(event.at / DAY_MS)}|${event.key}`
    const known = winners.get(name)
    if (known === undefined || isLater(event, known)) winners.set(name, event)
  }
  return [...winners.values()]
}

const isLater = (a: RawEvent, b: RawEvent): boolean =>
  a.arrived !== b.arrived ? a.arrived > b.arrived : a.window > b.window
