import { at, hex32, mix, uuidOf } from '../../sandbox/company/random.ts'
import type { PlannedRow } from './schedule.ts'

/** Amplitude's number of the generated project; it leads the names of its files. */
export const PROJECT = 431_208

const PLACES = [
  { city: 'Denver', region: 'Colorado', country: 'United States', language: 'English' },
  { city: 'Rotterdam', region: 'South Holland', country: 'Netherlands', language: 'Dutch' },
  { city: 'Melbourne', region: 'Victoria', country: 'Australia', language: 'English' },
  { city: 'Porto', region: 'Porto', country: 'Portugal', language: 'Portuguese' },
]
const SYSTEMS = [
  { os_name: 'Chrome', device_type: 'Mac', device_family: 'Mac OS X' },
  { os_name: 'Firefox', device_type: 'Windows', device_family: 'Windows' },
  { os_name: 'Safari', device_type: 'Apple iPhone', device_family: 'iOS' },
]

/** A row with every field of a genuine one (Amplitude, Export API), as one line. */
export function amplitudeRow(row: PlannedRow): string {
  const { profile, seq } = row
  const received = wireTime(row.uploadedAt - 350)
  const happened = wireTime(row.happenedAt)
  const place = at(PLACES, mix(profile.n, 8) % PLACES.length)
  const system = at(SYSTEMS, mix(profile.n, 9) % SYSTEMS.length)
  return JSON.stringify({
    $insert_id: hex32(seq, 22),
    $insert_key: null,
    $schema: 12,
    adid: null,
    amplitude_attribution_ids: null,
    amplitude_event_type: null,
    amplitude_id: profile.amplitudeId,
    app: PROJECT,
    city: place.city,
    client_event_time: happened,
    client_upload_time: received,
    country: place.country,
    data: { path: '/2/httpapi', group_first_event: {}, group_ids: {} },
    data_type: 'event',
    device_brand: null,
    device_carrier: null,
    device_family: system.device_family,
    device_id: row.device,
    device_manufacturer: null,
    device_model: null,
    device_type: system.device_type,
    dma: null,
    event_id: mix(seq, 10) % 1_000_000_000,
    event_properties: row.kind.properties(seq),
    event_time: happened,
    event_type: row.kind.name,
    global_user_properties: null,
    group_properties: {},
    groups: {},
    idfa: null,
    ip_address: null,
    is_attribution_event: null,
    language: place.language,
    library: 'amplitude-ts/2.11.1',
    location_lat: null,
    location_lng: null,
    os_name: system.os_name,
    os_version: String(118 + (mix(profile.n, 11) % 20)),
    partner_id: null,
    paying: null,
    plan: {},
    platform: 'Web',
    processed_time: wireTime(row.uploadedAt + 900),
    region: place.region,
    sample_rate: null,
    server_received_time: received,
    server_upload_time: wireTime(row.uploadedAt),
    session_id: Math.floor(row.happenedAt / 1_800_000) * 1_800_000 + (mix(profile.n, 12) % 60_000),
    source_id: null,
    start_version: null,
    user_creation_time: null,
    user_id: profile.userId,
    user_properties:
      profile.email === null
        ? {}
        : { email: profile.email, plan: profile.plan, role: profile.role },
    uuid: uuidOf(seq, 23),
    version_name: null,
  })
}

/** A space, no zone, six digits. */
function wireTime(ms: number): string {
  const text = new Date(ms).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000`
}
