import { beforeAll, describe, expect, it } from '@jest/globals'
import { type SampleCompany, sampleCompany } from '../../sandbox/company/sample-company.ts'
import type { UsageRows } from '../../sandbox/company/usage-rows.ts'

const DAY = 86_400_000
const END = new Date('2026-09-01T00:00:00Z')

interface AmplitudeRow {
  uuid: string
  event_type: string
  event_time: string
  server_upload_time: string
  user_id: string | null
  device_id: string
  user_properties: { email?: string; plan?: string }
  event_properties: Record<string, unknown>
}
interface MixpanelRow {
  event: string
  properties: {
    time: number
    distinct_id: string
    $insert_id: string
    $user_id?: string
    $device_id: string
    mp_processing_time_ms: number
    email?: string
  }
}

const read = <T>(rows: UsageRows): { key: string; row: T }[] =>
  [...rows.keys()].flatMap((key) =>
    (rows.get(key) ?? []).map((line) => ({ key, row: JSON.parse(line) as T })),
  )
const ms = (wire: string) => Date.parse(`${wire.replace(' ', 'T').slice(0, 23)}Z`)

/** Every moment in a line as a distance from the end. */
function fromEnd(line: string, end: Date): string {
  return line
    .replace(/"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})000"/g, (_, wire) => `${ms(wire) - +end}`)
    .replace(
      /"(session_id|\$mp_api_timestamp_ms|mp_processing_time_ms)":(\d+)/g,
      (_, key, at) => `${key}${Number(at) - +end}`,
    )
    .replace(/"time":(\d+)/, (_, seconds) => `time${Number(seconds) - +end / 1000}`)
}

const relative = (rows: UsageRows, end: Date): string[] =>
  [...rows.keys()].flatMap((key) => (rows.get(key) ?? []).map((line) => fromEnd(line, end)))

describe('the sample company', () => {
  let company: SampleCompany
  let amplitude: { key: string; row: AmplitudeRow }[]
  let mixpanel: { key: string; row: MixpanelRow }[]
  beforeAll(() => {
    company = sampleCompany({ end: END })
    amplitude = read<AmplitudeRow>(company.amplitude)
    mixpanel = read<MixpanelRow>(company.mixpanel)
  })

  it('is as large as promised, and its totals are what the rows hold', () => {
    const { totals } = company
    expect(amplitude).toHaveLength(totals.amplitude)
    expect(mixpanel).toHaveLength(totals.mixpanel)
    expect(totals.events).toBe(amplitude.length + mixpanel.length)
    expect(Math.abs(totals.events / 200_000 - 1)).toBeLessThan(0.02)
    expect(Math.abs(totals.amplitude / totals.events - 0.6)).toBeLessThan(0.02)
    const emails = new Set([
      ...amplitude.flatMap(({ row }) => row.user_properties.email ?? []),
      ...mixpanel.flatMap(({ row }) => row.properties.email ?? []),
    ])
    expect(totals.people).toBe(emails.size)
    expect(Math.abs(totals.people - 2000)).toBeLessThan(40)
    expect(totals.companies).toBe(300)
    expect(company.directory.map(({ email }) => email).sort()).toEqual([...emails].sort())
  })

  it('lies within its days, each row in the bucket that an export would choose', () => {
    const within = (at: number) => at < +END && at >= +END - 90 * DAY
    const strayUploads = amplitude.filter(
      ({ key, row }) =>
        row.server_upload_time.slice(0, 13).replace(' ', 'T') !== key ||
        !within(ms(row.event_time)),
    )
    const strayEvents = mixpanel.filter(({ key, row: { properties } }) => {
      const at = properties.time * 1000
      return !within(at) || new Date(at).toISOString().slice(0, 10) !== key
    })
    expect([...strayUploads, ...strayEvents]).toEqual([])
    const processed = mixpanel.map(({ row }) => row.properties.mp_processing_time_ms)
    expect(processed.filter((at) => at >= +END)).toEqual([])
  })

  it('gives every Amplitude row an id of its own', () => {
    expect(new Set(amplitude.map(({ row }) => row.uuid)).size).toBe(amplitude.length)
  })

  it('uploads some events late by hours and few by days', () => {
    const lags = amplitude.map(({ row }) => ms(row.server_upload_time) - ms(row.event_time))
    const share = (from: number, to: number) =>
      lags.filter((lag) => lag >= from && lag < to).length / lags.length
    expect(share(0, 60_000)).toBeGreaterThan(0.92)
    expect(share(3_600_000, DAY)).toBeGreaterThan(0.04)
    expect(share(DAY, 5 * DAY)).toBeGreaterThan(0.007)
    expect(share(DAY, 5 * DAY)).toBeLessThan(0.013)
  })

  it('holds the noise of both vendors', () => {
    const names = new Set([
      ...amplitude.map(({ row }) => row.event_type),
      ...mixpanel.map(({ row }) => row.event),
    ])
    const noise = ['session_start', 'session_end', '[Amplitude] Start Session', '$ae_session']
    for (const name of [...noise, '$identify']) expect(names).toContain(name)
  })

  it('repeats some Mixpanel rows with a later time of processing', () => {
    const first = new Map<string, MixpanelRow['properties']>()
    let repeated = 0
    let later = 0
    for (const { row } of mixpanel) {
      const { properties } = row
      const key = [row.event, properties.time, properties.distinct_id, properties.$insert_id].join()
      const before = first.get(key)
      if (before === undefined) first.set(key, properties)
      else {
        repeated += 1
        if (properties.mp_processing_time_ms > before.mp_processing_time_ms) later += 1
      }
    }
    expect(repeated).toBe(company.totals.repeated)
    expect(later).toBe(repeated)
    expect(repeated / mixpanel.length).toBeGreaterThan(0.005)
  })

  it('knows nobody twice under one id, and never shares ids between the tools', () => {
    const owners = new Map<string, string>()
    const shared: string[] = []
    const note = (id: string | null | undefined, email: string | undefined) => {
      if (id === null || id === undefined || email === undefined) return
      if ((owners.get(id) ?? email) !== email) shared.push(id)
      owners.set(id, email)
    }
    for (const { row } of amplitude) note(row.user_id, row.user_properties.email)
    const amplitudeIds = new Set(owners.keys())
    owners.clear()
    for (const { row } of mixpanel) note(row.properties.$user_id, row.properties.email)
    expect(shared).toEqual([])
    expect([...owners.keys()].filter((id) => amplitudeIds.has(id))).toEqual([])
    expect(amplitudeIds.size).toBeGreaterThan(1000)
    expect(owners.size).toBeGreaterThan(1000)
    expect(amplitudeIds.size + owners.size).toBeGreaterThan(company.totals.people)
  })

  it('has regional sub-domains, free mail and a few throw-away addresses', () => {
    const emails = company.directory.map(({ email }) => email)
    const count = (pattern: RegExp) => emails.filter((email) => pattern.test(email)).length
    expect(count(/@(eu|us)\./)).toBeGreaterThan(50)
    const free = count(/@(gmail|outlook|gmx|yahoo|hotmail|proton)\./) / emails.length
    expect(Math.abs(free - 0.06)).toBeLessThan(0.01)
    expect(count(/@(mailinator|yopmail|guerrillamail)\.com$/)).toBe(8)
  })
})

describe('the sample company, made again', () => {
  const days = 12
  const make = (end: Date, seed = 1) => sampleCompany({ end, days, seed })
  const texts = (company: SampleCompany, end: Date) => [
    relative(company.amplitude, end),
    relative(company.mixpanel, end),
  ]

  it('is the same for the same seed', () => {
    const [one, two] = [make(END), make(END)]
    const lines = (rows: UsageRows) => [...rows.keys()].flatMap((key) => rows.get(key) ?? [])
    expect(lines(one.amplitude)).toEqual(lines(two.amplitude))
    expect(lines(one.mixpanel)).toEqual(lines(two.mixpanel))
    expect(one.totals).toEqual(two.totals)
  })

  it('shifts with its end and changes in nothing else', () => {
    const other = new Date('2027-02-26T00:00:00Z')
    expect(texts(make(other), other)).toEqual(texts(make(END), END))
  })

  it('differs for another seed, except for its stories', () => {
    const [one, two] = [make(END), make(END, 2)]
    expect(texts(two, END)).not.toEqual(texts(one, END))
    expect(two.stories).toEqual(one.stories)
  })

  it('grows with its days', () => {
    const { totals } = make(END)
    expect(Math.abs(totals.events / ((200_000 / 90) * days) - 1)).toBeLessThan(0.03)
  })

  it('refuses an end within a day', () => {
    expect(() => make(new Date('2026-09-01T05:00:00Z'))).toThrow(RangeError)
  })
})
