import { LAST_EVENT } from './event-log.ts'
import { type Happening, type Person, planAt } from './people-model.ts'
import { hex32, mix, uuidOf } from './random.ts'
import { lazyRows, type UsageRows } from './usage-rows.ts'

/** The project number of the sample company in Mixpanel; made after 2023, so its times are UTC. */
export const MIXPANEL_PROJECT = 3_184_406

const PLACES = {
  us: { $city: 'Denver', $region: 'Colorado', mp_country_code: 'US' },
  eu: { $city: 'Rotterdam', $region: 'South Holland', mp_country_code: 'NL' },
  au: { $city: 'Melbourne', $region: 'Victoria', mp_country_code: 'AU' },
} as const
const BROWSERS = [
  { $browser: 'Chrome', $browser_version: 131, $os: 'Mac OS X' },
  { $browser: 'Firefox', $browser_version: 132, $os: 'Windows' },
  { $browser: 'Safari', $browser_version: 18.1, $os: 'Mac OS X' },
  { $browser: 'Microsoft Edge', $browser_version: '131.0.2903.51', $os: 'Windows' },
] as const

/** The id under which Mixpanel knows somebody who has signed up; not Amplitude's. */
export function mixpanelUserId(person: Person): string {
  return `mp-${mix(person.n, 31).toString(36)}${person.n}`
}

/** The id of one of a person's browsers in Mixpanel. */
export function mixpanelDeviceId(person: Person, device: number): string {
  return uuidOf(person.n * 4 + device, 32)
}

/** Whether the export holds a second copy of this event: retries are not removed by Mixpanel. */
export function isRepeated(happening: Happening): boolean {
  return mix(happening.seq, 33) % 1000 < 14
}

/** Rows by day of the event, oldest first, as an export would hold them at `end`. */
export function mixpanelRows(happenings: readonly Happening[], end: Date): UsageRows {
  const endMs = end.getTime()
  const days = new Map<string, Happening[]>()
  const byTime = [...happenings].sort((a, b) => a.at - b.at || a.seq - b.seq)
  let open = { day: Number.NaN, rows: [] as Happening[] }
  for (const happening of byTime) {
    const day = Math.floor((endMs + happening.at) / 86_400_000)
    if (day !== open.day) {
      open = { day, rows: [] }
      days.set(new Date(day * 86_400_000).toISOString().slice(0, 10), open.rows)
    }
    open.rows.push(happening)
  }
  return lazyRows(days, (bucket) => bucket.flatMap((item) => linesOf(item, endMs)))
}

function linesOf(happening: Happening, endMs: number): readonly string[] {
  const received = endMs + happening.at + happening.delay
  const processed = received + 150 + (mix(happening.seq, 34) % 800)
  const line = JSON.stringify(rowOf(happening, endMs, received, processed))
  if (!isRepeated(happening)) return [line]
  const later = Math.min(received + 3000 + (mix(happening.seq, 35) % 5_400_000), endMs - 1000)
  const again = Math.max(later, processed + 1)
  return [line, JSON.stringify(rowOf(happening, endMs, again - 200, again))]
}

function identityOf(happening: Happening) {
  const { person } = happening
  const device = mixpanelDeviceId(person, happening.device)
  if (happening.anonymous) return { distinct_id: `$device:${device}`, $device_id: device }
  const user = mixpanelUserId(person)
  return { distinct_id: user, $user_id: user, $device_id: device }
}

function profileOf({ person, anonymous, at }: Happening) {
  return anonymous ? {} : { email: person.email, plan: planAt(person, at) }
}

/** What Mixpanel's own events carry besides. */
function noiseOf(happening: Happening) {
  const { name, person, seq } = happening
  if (name === '$ae_session') return { $ae_session_length: (mix(seq, 36) % 9000) / 10 }
  if (name !== '$identify') return {}
  const device = mixpanelDeviceId(person, happening.device)
  return { $identified_id: mixpanelUserId(person), $anon_id: device }
}

function rowOf(happening: Happening, endMs: number, received: number, processed: number) {
  const { person, props, name } = happening
  const path = name === 'page_viewed' ? props['path'] : '/app'
  return {
    event: name,
    properties: {
      time: Math.floor((endMs + Math.min(happening.at, LAST_EVENT)) / 1000),
      ...identityOf(happening),
      ...(BROWSERS[mix(person.n, 5) % BROWSERS.length] ?? BROWSERS[0]),
      ...PLACES[person.region],
      $current_url: `https://dashboards.example.com${path}`,
      $insert_id: hex32(happening.seq, 37).slice(0, 16),
      $lib_version: '2.56.0',
      $mp_api_endpoint: 'api-js.mixpanel.com',
      $mp_api_timestamp_ms: received,
      mp_lib: 'web',
      mp_processing_time_ms: processed,
      ...profileOf(happening),
      ...props,
      ...noiseOf(happening),
    },
  }
}
