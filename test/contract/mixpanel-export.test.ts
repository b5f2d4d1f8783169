import { afterEach, describe, expect, it } from '@jest/globals'
import type { EarlyFault } from '../../sandbox/usage-faults.ts'
import { ConfigError, RateLimitedError, RetryableError } from '../../src/core/errors.ts'
import {
  type MixpanelSetUp,
  type MixpanelSubject,
  openMixpanel,
} from '../support/mixpanel-source.ts'

let open: MixpanelSubject | null = null
afterEach(async () => {
  await open?.close()
  open = null
})

const NOW = new Date('2026-09-03T20:00:00Z')
type Properties = Readonly<Record<string, unknown>>

const row = (id: string, day: number, more: Properties = {}, event = 'page_viewed') => {
  const time = Date.UTC(2026, 8, day, 12) / 1000
  const properties = {
    time,
    $insert_id: id,
    distinct_id: 'ann',
    mp_processing_time_ms: time * 1000,
  }
  return JSON.stringify({ event, properties: { ...properties, pad: 'x'.repeat(300), ...more } })
}
const DAYS = new Map([
  ['2026-09-01', [row('a1', 1), row('a2', 1)]],
  ['2026-09-02', [row('b1', 2), row('b2', 2), row('b3', 2)]],
  ['2026-09-03', [row('c1', 3), row('c2', 3)]],
])

async function start(change: Partial<MixpanelSetUp> = {}): Promise<MixpanelSubject> {
  open = await openMixpanel({ now: NOW, sandbox: { events: DAYS }, ...change })
  return open
}

const failureOf = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => error,
  )
const countDays = (rows: readonly Properties[]) => {
  const days: Record<string, number> = {}
  for (const { window_key } of rows) {
    const key = String(window_key)
    days[key] = (days[key] ?? 0) + 1
  }
  return days
}

describe('days of a Mixpanel project', () => {
  it('come both ends included, many in one query and each as a window of its own', async () => {
    const { rows, sandbox, source } = await start()
    expect(countDays(await rows('2026-09-01', '2026-09-03'))).toEqual({
      '2026-09-01': 2,
      '2026-09-02': 3,
      '2026-09-03': 2,
    })
    expect(sandbox.calls().map(({ range }) => range)).toEqual([
      { from: '2026-09-01', to: '2026-09-03' },
    ])
    expect(source.maxWindowsPerDownload).toBe(30)
  })

  it('without events are whole and empty', async () => {
    const { rows } = await start({ sandbox: { events: new Map() } })
    expect(await rows('2026-09-01', '2026-09-02')).toEqual([])
  })

  it('are told by the clock of the project, the current one too', async () => {
    // 20:00 UTC on the 3rd is half past one on the 4th in Kolkata.
    const early = JSON.stringify({
      event: 'Login',
      properties: { time: Date.UTC(2026, 8, 4, 0, 30) / 1000, $insert_id: 'k', distinct_id: 'ann' },
    })
    const { rows, source } = await start({
      sandbox: { events: new Map([['2026-09-04', [early]]]) },
      source: { timezone: 'Asia/Kolkata' },
    })
    const last = source.windows(new Date('2026-09-01T00:00:00Z'), NOW, NOW).at(-1)
    expect(last).toEqual({
      key: '2026-09-04',
      start: new Date('2026-09-03T18:30:00Z'),
      end: new Date('2026-09-04T18:30:00Z'),
    })
    const [event] = await rows('2026-09-04', '2026-09-04')
    expect(event).toMatchObject({
      window_key: '2026-09-04',
      occurred_at: new Date('2026-09-03T19:00:00Z'),
    })
  })
})

describe('an export that is cut short inside a 200', () => {
  it.each([
    { kind: 'terminated-early' } as const,
    { kind: 'no-last-newline' } as const,
    { kind: 'half-body' } as const,
    { kind: 'bad-gzip-trailer' } as const,
    { kind: 'gzip-cut-short' } as const,
    { kind: 'gzip-cut-short', bytes: 8 } as const,
  ])('by $kind is refused, and whole when it is fetched again', async (fault) => {
    const { rows, sandbox } = await start()
    sandbox.faults.add(fault)
    expect(await failureOf(rows('2026-09-01', '2026-09-03'))).toBeInstanceOf(RetryableError)
    expect(sandbox.faults.pending()).toBe(0)
    expect(await rows('2026-09-01', '2026-09-03')).toHaveLength(7)
  })

  it('in the middle of a line cannot be read', async () => {
    const { rows, sandbox } = await start()
    sandbox.faults.add({ kind: 'broken-line' })
    expect(String(await failureOf(rows('2026-09-01', '2026-09-03')))).toContain('Malformed JSON')
  })
})

describe('a slow Mixpanel', () => {
  it.each([
    { kind: 'delay', ms: 50 } as const,
    { kind: 'slow-drip', bytes: 400, everyMs: 1 } as const,
  ])('is waited for ($kind)', async (fault) => {
    const { rows, sandbox } = await start()
    sandbox.faults.add(fault)
    expect(await rows('2026-09-01', '2026-09-03')).toHaveLength(7)
  })

  it('that has gone silent is given up', async () => {
    const { rows, sandbox } = await start({ source: { idleMs: 40 } })
    sandbox.faults.add({ kind: 'delay', ms: 300 })
    expect(await failureOf(rows('2026-09-01', '2026-09-01'))).toBeInstanceOf(RetryableError)
  })
})

describe('a refusal of Mixpanel', () => {
  const status = (code: number, body = '', headers = {}): EarlyFault => ({
    kind: 'status',
    status: code,
    body,
    headers,
  })

  it.each([
    { name: 'a reset', fault: { kind: 'reset' } as const, kind: RetryableError, says: 'network' },
    { name: '500', fault: status(500), kind: RetryableError, says: '500' },
    { name: '504', fault: status(504), kind: RetryableError, says: '504' },
    { name: '401', fault: status(401), kind: ConfigError, says: 'MIXPANEL_SECRET' },
    { name: '403', fault: status(403), kind: ConfigError, says: 'MIXPANEL_PROJECT_ID' },
    { name: '404', fault: status(404), kind: ConfigError, says: 'MIXPANEL_REGION' },
    {
      name: '400',
      fault: status(400, '{"error":"Unable to parse selector"}'),
      kind: ConfigError,
      says: 'Unable to parse selector',
    },
  ])('by $name says what to do and commits nothing', async ({ fault, kind, says }) => {
    const { rows, sandbox } = await start()
    sandbox.faults.add(fault)
    const failure = await failureOf(rows('2026-09-01', '2026-09-03'))
    expect(failure).toBeInstanceOf(kind)
    expect(String(failure)).toContain(says)
    expect(String(failure)).not.toContain('mixpanel-contract-secret')
  })

  it('by 429 is a pause, as long as it says or a minute', async () => {
    const { rows, sandbox } = await start()
    sandbox.faults.add(status(429, '', { 'retry-after': '7' }))
    sandbox.faults.add(status(429))
    const waits = []
    for (let i = 0; i < 2; i++) waits.push(await failureOf(rows('2026-09-01', '2026-09-01')))
    expect(waits.map((wait) => wait instanceof RateLimitedError && wait.retryAfterMs)).toEqual([
      7_000, 60_000,
    ])
  })

  it('of a day that has not begun there is tried again, and names the zone', async () => {
    const { rows } = await start({
      sandbox: { events: DAYS, now: () => new Date('2026-09-02T23:59:59Z') },
    })
    const failure = await failureOf(rows('2026-09-03', '2026-09-03'))
    expect(failure).toBeInstanceOf(RetryableError)
    expect(String(failure)).toContain('MIXPANEL_TIMEZONE')
  })

  it('of the credentials is a matter of configuration', async () => {
    const { rows } = await start({ source: { secret: 'wrong' } })
    expect(await failureOf(rows('2026-09-01', '2026-09-01'))).toBeInstanceOf(ConfigError)
  })
})

describe('the allowance of a project', () => {
  it('is asked before every query: days, sweeps and pages of profiles', async () => {
    let turns = 0
    const pace = async () => {
      turns += 1
    }
    const { rows, read, source, sandbox, dir } = await start({
      source: { pace, sweepEveryMs: 1, sweepDays: 9, profilesEveryMs: 1 },
    })
    const signal = new AbortController().signal
    await rows('2026-09-01', '2026-09-02')
    const [window] = source.windows(NOW, new Date(NOW.getTime() + 1), NOW)
    if (!window || !source.lateSweep) throw new Error('no window or sweep')
    await read(source.lateSweep.download([window], NOW, dir, signal))
    await source.profiles?.page('people', null, dir, NOW, signal)
    expect(turns).toBe(3)
    expect(sandbox.calls()).toHaveLength(3)
  })

  it('that is used up costs no query', async () => {
    const pace = async () => {
      throw new RateLimitedError('the allowance is spoken for', 1_000)
    }
    const { rows, sandbox } = await start({ source: { pace } })
    expect(await failureOf(rows('2026-09-01', '2026-09-01'))).toBeInstanceOf(RateLimitedError)
    expect(sandbox.calls()).toEqual([])
  })
})

describe('events of Mixpanel that change after they came', () => {
  it('arrive late in a day that is over, and a sweep shows which day', async () => {
    const { read, source, sandbox, dir } = await start({
      source: { sweepEveryMs: 1, sweepDays: 30 },
    })
    const processed = Date.parse('2026-09-03T19:00:00Z')
    sandbox.add(new Map([['2026-09-01', [row('a9', 1, { mp_processing_time_ms: processed })]]]))
    const windows = source.windows(new Date('2026-08-20T00:00:00Z'), NOW, NOW)
    const since = new Date('2026-09-03T18:00:00Z')
    const signal = new AbortController().signal
    const batches = source.lateSweep?.download(windows, since, dir, signal) ?? []
    expect(await read(batches)).toMatchObject([
      { window_key: '2026-09-01', arrived_at: new Date(processed) },
    ])
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('keep their profile when the person is merged into another', async () => {
    const { rows, sandbox } = await start({
      sandbox: { events: new Map([['2026-09-01', [row('m', 1, { distinct_id: 'a9' })]]]) },
    })
    const who = async () => {
      const [event] = await rows('2026-09-01', '2026-09-01')
      return [event?.['event_key'], event?.['user_id'], event?.['device_id'], event?.['alias_id']]
    }
    const before = await who()
    expect(before.slice(1)).toEqual([null, null, 'a9'])
    sandbox.merge('a9', 'ann')
    expect(await who()).toEqual(before)
  })

  it('come twice with one key, the later copy last', async () => {
    const again = row('a1', 1, { mp_processing_time_ms: Date.UTC(2026, 8, 2) })
    const { rows, sandbox } = await start()
    sandbox.add(new Map([['2026-09-01', [again]]]))
    const copies = await rows('2026-09-01', '2026-09-01')
    expect(copies).toHaveLength(3)
    expect(new Set(copies.map((copy) => copy['event_key'])).size).toBe(2)
  })

  it('of a hot shard have their name and person again', async () => {
    const hot = row(
      'h',
      1,
      { distinct_id: '', mp_original_event_name: 'Synced', mp_original_distinct_id: 'robot' },
      '$hotshard_events',
    )
    const { rows } = await start({ sandbox: { events: new Map([['2026-09-01', [hot]]]) } })
    expect(await rows('2026-09-01', '2026-09-01')).toMatchObject([
      { name: 'Synced', alias_id: 'robot' },
    ])
  })
})
