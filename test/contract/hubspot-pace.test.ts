import { afterEach, describe, expect, it } from '@jest/globals'
import { readAccountZone } from '../../connectors/crms/hubspot/account-zone.ts'
import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import type { LimitsSaid, PaceBucket, Turn } from '../../src/core/ports/crm.ts'
import { lookup, newContact } from './crm-contract-examples.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeAccounts, connectHubspot, openAccount, TOKEN } from './hubspot-subject.ts'

afterEach(closeAccounts)

/** An account, a connector that may repeat calls, and what its pace was told. */
async function open(options: HubspotSandboxOptions = {}, attempts = 4, timeoutMs = 20_000) {
  const account = await openAccount(options)
  const told: { bucket: PaceBucket; said: LimitsSaid }[] = []
  const pace = async (bucket: PaceBucket): Promise<Turn> => ({
    over: (said) => void told.push({ bucket, said }),
  })
  const { baseUrl } = account.subject
  const crm = connectHubspot(baseUrl, { pace, attempts, timeoutMs })
  return { ...account, crm, told }
}

const rateLimit = (body: object) => ({
  status: 429,
  body: { status: 'error', errorType: 'RATE_LIMIT', ...body },
})

describe('what the pace is told', () => {
  it('is what HubSpot says beside an answer', async () => {
    const { crm, told } = await open({ limits: { burst: 150, daily: 5_000, usedByOthers: 100 } })
    await crm.check(noSignal())
    expect(told).toEqual([
      {
        bucket: 'general',
        said: {
          window: { calls: 150, left: expect.any(Number), intervalMs: 10_000 },
          day: { calls: 5_000, left: expect.any(Number) },
        },
      },
    ])
  })

  it('is nothing of the day for an app with OAuth, and nothing at all beside a search', async () => {
    const { crm, told } = await open({ limits: { dailyHeaders: false, searchPerSecond: 100 } })
    const company = { ref: 'a', key: 'a', emails: [], domains: ['acme.example'] }
    await crm.find('company', [company], noSignal())
    const [read, search] = ['general', 'search'].map((name) =>
      told.find(({ bucket }) => bucket === name),
    )
    expect(read?.said.window).toBeDefined()
    expect(read?.said.day).toBeUndefined()
    expect(search).toEqual({ bucket: 'search', said: {} })
  })

  it('keeps calls about associations apart', async () => {
    const { crm, told, subject } = await open()
    const companyId = subject.seed('company', { domain: 'acme.example' })
    const contactId = subject.seed('contact', { email: 'a@acme.example' })
    await crm.associate([{ contactId, companyId }], noSignal())
    expect(told.map(({ bucket }) => bucket)).toEqual(['association'])
  })

  it.each([
    {
      name: 'ten seconds',
      fault: rateLimit({ policyName: 'TEN_SECONDLY_ROLLING', message: 'x ten_secondly_rolling x' }),
      want: { of: 'window', pauseMs: 10_000 },
    },
    {
      name: 'a second',
      fault: rateLimit({
        policyName: 'SECONDLY',
        message: 'You have reached your secondly limit.',
      }),
      want: { of: 'window', pauseMs: 1_000 },
    },
    {
      name: 'a search, without a policy',
      fault: {
        status: 429,
        body: {
          status: 'error',
          message: 'You have reached your secondly limit.',
          category: 'RATE_LIMITS',
        },
      },
      want: { of: 'window', pauseMs: 1_000 },
    },
    {
      name: 'the day',
      fault: rateLimit({ policyName: 'DAILY', message: 'You have reached your daily limit.' }),
      want: { of: 'day', pauseMs: 900_000 },
    },
    { name: 'a lock', fault: { status: 423 }, want: { of: 'account', pauseMs: 2_000 } },
    {
      name: 'a migration',
      fault: { status: 477, headers: { 'Retry-After': '7200' } },
      want: { of: 'account', pauseMs: 7_200_000 },
    },
  ])('is the pause after a refusal for $name', async ({ fault, want }) => {
    const { crm, told, sandbox } = await open({}, 1)
    sandbox.faults.push({ path: /owners/, ...fault })
    const error = await failureOf(crm.check(noSignal()))
    expect(error).toMatchObject({ kind: 'rate-limited', retryAfterMs: want.pauseMs })
    expect(told.map(({ said }) => said.refused)).toEqual([want])
  })

  it('is also that a call ended without an answer', async () => {
    const { crm, told, sandbox } = await open({}, 1)
    sandbox.faults.push({ path: /owners/, kind: 'reset' })
    await failureOf(crm.check(noSignal()))
    expect(told).toEqual([{ bucket: 'general', said: {} }])
  })
})

describe('a call that surely did nothing is made again', () => {
  it.each([500, 502, 503, 504, 521, 523, 524])('a read that ends in %i', async (status) => {
    const { crm, sandbox } = await open()
    sandbox.faults.push({ path: /owners/, status, body: '<html>Bad gateway</html>' })
    await crm.check(noSignal())
    expect(sandbox.calls().map((call) => call.status)).toEqual([status, 200])
  })

  it.each(['reset', 'half-body', 'too-late'] as const)('a read that ends in %s', async (kind) => {
    const { crm, sandbox } = await open({}, 4, 1_500)
    const fault = kind === 'too-late' ? { delayMs: 3_000, kind: 'reset' as const } : { kind }
    sandbox.faults.push({ path: /owners/, ...fault })
    await crm.check(noSignal())
  })

  it('but no more often than it may be', async () => {
    const { crm, sandbox } = await open({}, 2)
    sandbox.faults.push({ path: /owners/, status: 503, times: 5 })
    expect((await failureOf(crm.check(noSignal()))).kind).toBe('retryable')
    expect(sandbox.calls()).toHaveLength(2)
  })

  it('a write that meets a lock, two seconds later', async () => {
    const { crm, sandbox, subject } = await open({ upsertLock: { calls: 1, withinMs: 1_000 } })
    await crm.write('contact', [newContact(subject, 'p-1')], noSignal())
    const outcomes = await crm.write('contact', [newContact(subject, 'p-2')], noSignal())
    expect(outcomes).toMatchObject([{ kind: 'written', created: true }])
    const upserts = sandbox.calls().filter(({ path }) => path.endsWith('/batch/upsert'))
    expect(upserts.map(({ status }) => status)).toEqual([200, 423, 200])
    expect((upserts[2]?.at ?? 0) - (upserts[1]?.at ?? 0)).toBeGreaterThanOrEqual(2_000)
  })

  it('not for a long pause: that is for the queue', async () => {
    const { crm, sandbox } = await open()
    sandbox.migrateFor(3_600_000)
    const error = await failureOf(crm.find('contact', [lookup('p-1')], noSignal()))
    expect(error).toMatchObject({ kind: 'rate-limited', retryAfterMs: expect.any(Number) })
    expect(sandbox.calls()).toHaveLength(1)
  })

  it('a write that may have happened is not, and a task never', async () => {
    const { crm, sandbox, subject } = await open()
    sandbox.faults.push({ method: 'POST', path: /batch\/upsert/, status: 502 })
    sandbox.faults.push({ method: 'POST', path: /objects\/tasks$/, status: 502 })
    const written = await crm.write('contact', [newContact(subject, 'p-1')], noSignal())
    expect(written).toEqual([{ kind: 'unknown' }])
    const contactId = subject.seed('contact', { email: 'a@acme.example' })
    const task = {
      marker: 'rpn-0a1b2c3d',
      subject: 'Call',
      body: 'They like it.',
      dueAt: '2026-11-21T09:00:00.000Z',
      priority: 'low' as const,
      ownerId: null,
      companyId: null,
      contactIds: [contactId],
    }
    expect(await crm.createTasks([task], noSignal())).toEqual([{ kind: 'unknown' }])
    expect(sandbox.calls().filter(({ kind }) => kind === 'write')).toHaveLength(2)
  })
})

describe('the time zone of the account', () => {
  it('is what HubSpot says', async () => {
    const { subject } = await open({ limits: { timeZone: 'Europe/Dublin' } })
    const options = { baseUrl: subject.baseUrl, timeoutMs: 2_000 }
    expect(await readAccountZone({ ...options, accessToken: TOKEN })).toBe('Europe/Dublin')
    expect(await readAccountZone({ ...options, accessToken: 'wrong' })).toBeNull()
    const away = { ...options, baseUrl: 'http://127.0.0.1:1', accessToken: TOKEN }
    expect(await readAccountZone(away)).toBeNull()
  })
})
