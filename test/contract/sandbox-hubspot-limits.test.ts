import { afterEach, describe, expect, it } from '@jest/globals'
import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const CONTACTS = '/crm/v3/objects/contacts'
let clock = 0
let hubspot: RunningHubspotSandbox

async function start(options: HubspotSandboxOptions, at: string): Promise<void> {
  clock = Date.parse(at)
  hubspot = await startHubspotSandbox({ now: () => clock, ...options })
}
afterEach(() => hubspot.close())

const read = () => hubspot.call('GET', CONTACTS)
const upsert = (object = 'contacts') =>
  hubspot.call('POST', `/crm/v3/objects/${object}/batch/upsert`, { inputs: [] })
const details = async () => (await hubspot.call('GET', '/account-info/v3/details')).json

describe('the day of an account', () => {
  it.each([
    { zone: 'America/New_York', at: '2026-11-20T04:59:59Z', midnight: '2026-11-20T05:00:00.000Z' },
    { zone: 'Asia/Kolkata', at: '2026-11-20T04:00:00Z', midnight: '2026-11-20T18:30:00.000Z' },
    // Clocks go back an hour, and forward, in the course of these days.
    { zone: 'Europe/Berlin', at: '2026-10-24T22:30:00Z', midnight: '2026-10-25T23:00:00.000Z' },
    { zone: 'Europe/Berlin', at: '2026-03-29T00:00:00Z', midnight: '2026-03-29T22:00:00.000Z' },
  ])('ends at midnight in $zone', async ({ zone, at, midnight }) => {
    await start({ limits: { daily: 1, timeZone: zone } }, at)
    expect((await read()).status).toBe(200)
    clock = Date.parse(midnight) - 1
    expect((await read()).status).toBe(429)
    clock += 1
    expect((await read()).status).toBe(200)
  })

  it('is told with the account: zone and offset', async () => {
    await start({ limits: { timeZone: 'America/St_Johns' } }, '2026-11-20T12:00:00Z')
    expect(await details()).toMatchObject({
      timeZone: 'America/St_Johns',
      utcOffset: '-03:30',
      utcOffsetMilliseconds: -12_600_000,
    })
  })

  it('counts what other apps use', async () => {
    await start({ limits: { daily: 10, usedByOthers: 8 } }, '2026-11-20T12:00:00Z')
    const first = await read()
    expect(first.headers.get('x-hubspot-ratelimit-daily-remaining')).toBe('1')
    expect([(await read()).status, (await read()).status]).toEqual([200, 429])
  })

  it('is not told to apps with OAuth', async () => {
    await start({ limits: { dailyHeaders: false } }, '2026-11-20T12:00:00Z')
    const names = [...(await read()).headers.keys()]
    expect(names.filter((name) => name.includes('ratelimit-daily'))).toEqual([])
    expect(names).toContain('x-hubspot-ratelimit-remaining')
  })

  it('is refused with a request id', async () => {
    await start({ limits: { daily: 0 } }, '2026-11-20T12:00:00Z')
    const { status, json } = await read()
    expect({ status, json }).toEqual({
      status: 429,
      json: {
        status: 'error',
        message: 'You have reached your daily limit.',
        errorType: 'RATE_LIMIT',
        policyName: 'DAILY',
        correlationId: expect.any(String),
        requestId: expect.any(String),
      },
    })
  })
})

describe('what holds calls up besides limits', () => {
  it('locks an object for two seconds after a burst of upserts', async () => {
    await start({ upsertLock: { calls: 2, withinMs: 1_000 } }, '2026-11-20T12:00:00Z')
    const statuses = [await upsert(), await upsert(), await upsert()].map(({ status }) => status)
    expect(statuses.map((status) => status === 423)).toEqual([false, false, true])
    expect((await upsert('companies')).status).not.toBe(423)
    expect((await read()).status).toBe(200)
    clock += 1_999
    expect((await upsert()).status).toBe(423)
    clock += 1
    expect((await upsert()).status).not.toBe(423)
  })

  it('answers 477 with the seconds left while the account moves', async () => {
    await start({}, '2026-11-20T12:00:00Z')
    hubspot.sandbox.migrateFor(90_000)
    clock += 500
    const held = await read()
    expect([held.status, held.headers.get('retry-after')]).toEqual([477, '90'])
    clock += 89_500
    expect((await read()).status).toBe(200)
  })

  it('names the policy of a refused search where that is asked for', async () => {
    await start({ limits: { searchPerSecond: 0, searchPolicyName: true } }, '2026-11-20T12:00:00Z')
    expect((await hubspot.call('POST', `${CONTACTS}/search`, {})).json).toMatchObject({
      message: 'You have reached your secondly limit.',
      errorType: 'RATE_LIMIT',
      policyName: 'SECONDLY',
    })
  })

  it('does not carry out what it refuses for its body when the line breaks as well', async () => {
    await start({}, '2026-11-20T12:00:00Z')
    const { faults } = hubspot.sandbox
    faults.push({ kind: 'reset-after', method: 'POST' })
    faults.push({ mentions: 'refused@acme.example', status: 400 })
    const body = { properties: { email: 'refused@acme.example' } }
    await expect(hubspot.call('POST', CONTACTS, body)).rejects.toThrow()
    expect(hubspot.sandbox.records('contacts')).toEqual([])
  })

  it('plays a fault by chance, the same in every run', async () => {
    const runs: number[][] = []
    for (let run = 0; run < 2; run++) {
      await start({}, '2026-11-20T12:00:00Z')
      hubspot.sandbox.faults.push({ chance: 0.2, status: 503 })
      const statuses: number[] = []
      for (let i = 0; i < 60; i++) statuses.push((await read()).status)
      runs.push(statuses)
      if (run === 0) await hubspot.close()
    }
    expect(runs[0]).toEqual(runs[1])
    const failed = runs[0]?.filter((status) => status === 503).length ?? 0
    expect(failed).toBeGreaterThan(3)
    expect(failed).toBeLessThan(25)
  })
})
