import { type Happening, type Person, planAt } from './people-model.ts'
import { hex32, mix, uuidOf } from './random.ts'
import { lazyRows, type UsageRows } from './usage-rows.ts'

/** The project number of the sample company in Amplitude. */
export const AMPLITUDE_PROJECT = 431_207

const PLACES = {
  us: { city: 'Denver', region: 'Colorado', country: 'United States', language: 'English' },
  eu: { city: 'Rotterdam', region: 'South Holland', country: 'Netherlands', language: 'Dutch' },
  au: { city: 'Melbourne', region: 'Victoria', country: 'Australia', language: 'English' },
} as const
const SYSTEMS = [
  { os_name: 'Chrome', os_version: '131', device_type: 'Mac', device_family: 'Mac OS X' },
  { os_name: 'Firefox', os_version: '132', device_type: 'Windows', device_family: 'Windows' },
  { os_name: 'Safari', os_version: '18', device_type: 'Mac', device_family: 'Mac OS X' },
  { os_name: 'Edge', os_version: '131', device_type: 'Windows', device_family: 'Windows' },
] as const

/** The id under which Amplitude knows somebody who has signed up. */
export function amplitudeUserId(person: Person): string {
  return `u_${String(person.n).padStart(5, '0')}`
}

/** The id of one of a person's devices in Amplitude. */
export function amplitudeDeviceId(person: Person, device: number): string {
  return uuidOf(person.n * 4 + device, 21)
}

/** Rows by hour of upload, oldest first, as an export would hold them at `end`. */
export function amplitudeRows(happenings: readonly Happening[], end: Date): UsageRows {
  const endMs = end.getTime()
  const hours = new Map<string, Happening[]>()
  const byUpload = [...happenings].sort((a, b) => uploadedAt(a) - uploadedAt(b) || a.seq - b.seq)
  let open = { hour: Number.NaN, rows: [] as Happening[] }
  for (const happening of byUpload) {
    const hour = Math.floor((endMs + uploadedAt(happening)) / 3_600_000)
    if (hour !== open.hour) {
      open = { hour, rows: [] }
      hours.set(new Date(hour * 3_600_000).toISOString().slice(0, 13), open.rows)
    }
    open.rows.push(happening)
  }
  return lazyRows(hours, (bucket) => bucket.map((item) => JSON.stringify(rowOf(item, endMs))))
}

/** Offset of the moment by which the hour of the export is chosen. */
function uploadedAt(happening: Happening): number {
  return happening.at + happening.delay
}

/** Amplitude's wire time: a space, no zone, six digits. */
function wire(ms: number): string {
  const text = new Date(ms).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000`
}

function userPropertiesOf({ person, anonymous, at }: Happening) {
  if (anonymous) return {}
  const known = { email: person.email, plan: planAt(person, at), role: person.role }
  return person.company === null ? known : { ...known, company_size: person.company.employees }
}

function groupsOf({ person, anonymous, at }: Happening) {
  const paying = person.company !== null && ['pro', 'enterprise'].includes(planAt(person, at))
  return paying && !anonymous ? { company: [person.company?.domain] } : {}
}

function rowOf(happening: Happening, endMs: number) {
  const { seq, person, at } = happening
  const happened = wire(endMs + at)
  const received = wire(endMs + uploadedAt(happening) - 350)
  const place = PLACES[person.region]
  const system = SYSTEMS[mix(person.n, 5) % SYSTEMS.length] ?? SYSTEMS[0]
  const properties = userPropertiesOf(happening)
  return {
    $insert_id: hex32(seq, 22),
    $insert_key: null,
    $schema: 12,
    adid: null,
    amplitude_attribution_ids: null,
    amplitude_event_type: null,
    amplitude_id: 500_000_000_000 + person.n * 1_000_003,
    app: AMPLITUDE_PROJECT,
    city: place.city,
    client_event_time: happened,
    client_upload_time: received,
    country: place.country,
    data: { path: '/2/httpapi', group_first_event: {}, group_ids: {} },
    data_type: 'event',
    device_brand: null,
    device_carrier: null,
    device_family: system.device_family,
    device_id: amplitudeDeviceId(person, happening.device),
    device_manufacturer: null,
    device_model: null,
    device_type: system.device_type,
    dma: null,
    event_id: seq % 1_000_000_000,
    event_properties: happening.props,
    event_time: happened,
    event_type: happening.name,
    global_user_properties: null,
    group_properties: {},
    groups: groupsOf(happening),
    idfa: null,
    ip_address: null,
    is_attribution_event: null,
    language: place.language,
    library: 'amplitude-ts/2.11.1',
    location_lat: null,
    location_lng: null,
    os_name: system.os_name,
    os_version: system.os_version,
    partner_id: null,
    paying: null,
    plan: {},
    platform: 'Web',
    processed_time: wire(endMs + uploadedAt(happening) + 900),
    region: place.region,
    sample_rate: null,
    server_received_time: received,
    server_upload_time: wire(endMs + uploadedAt(happening)),
    session_id: endMs + happening.session,
    source_id: null,
    start_version: null,
    user_creation_time: null,
    user_id: happening.anonymous ? null : amplitudeUserId(person),
    user_properties: properties,
    uuid: uuidOf(seq, 23),
    version_name: null,
  }
}
