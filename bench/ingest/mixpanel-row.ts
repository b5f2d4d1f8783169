import { hex32, mix } from '../../sandbox/company/random.ts'
import { deviceOf } from './profiles.ts'
import type { PlannedRow } from './schedule.ts'

const BROWSERS = ['Chrome', 'Firefox', 'Safari', 'Microsoft Edge']
const CITIES = ['Denver', 'Rotterdam', 'Melbourne', 'Porto']

/** A row with the fields that a genuine one has (Mixpanel, raw export), as one line; a project in UTC. */
export function mixpanelRow({
  profile,
  device,
  kind,
  happenedAt,
  uploadedAt,
  seq,
}: PlannedRow): string {
  // Nothing at Mixpanel links two devices before somebody signs in.
  const own = profile.userId === null ? deviceOf(profile, false) : device
  const width = 1280 + 160 * (mix(profile.n, 12) % 8)
  return JSON.stringify({
    event: kind.name,
    properties: {
      time: Math.floor(happenedAt / 1000),
      distinct_id: profile.userId ?? `$device:${own}`,
      $browser: BROWSERS[mix(profile.n, 13) % BROWSERS.length],
      $browser_version: 110 + (mix(profile.n, 14) % 30),
      $city: CITIES[mix(profile.n, 15) % CITIES.length],
      $current_url: `https://app.example/w/${profile.n}/${seq % 97}?ref=menu`,
      $device_id: own,
      $had_persisted_distinct_id: true,
      $initial_referrer: '$direct',
      $initial_referring_domain: '$direct',
      $insert_id: hex32(seq, 22).slice(0, 16),
      $lib_version: '2.56.0',
      $mp_api_endpoint: 'api-js.mixpanel.com',
      $mp_api_timestamp_ms: happenedAt + 200,
      $os: 'Mac OS X',
      $region: 'Colorado',
      $screen_height: 900,
      $screen_width: width,
      ...(profile.userId === null
        ? {}
        : {
            $user_id: profile.userId,
            email: profile.email,
            plan: profile.plan,
            role: profile.role,
          }),
      ...kind.properties(seq),
      mp_country_code: 'US',
      mp_lib: 'web',
      mp_processing_time_ms: uploadedAt,
      mp_sent_by_lib_version: '2.56.0',
    },
  })
}
