import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const TASKS = '/crm/v3/objects/tasks'
const AT = Date.parse('2026-11-20T10:00:00.000Z')

let clock = AT
let hubspot: RunningHubspotSandbox

beforeEach(async () => {
  clock = AT
  hubspot = await startHubspotSandbox({ now: () => clock })
})

afterEach(async () => {
  await hubspot.close()
})

const createTask = () =>
  hubspot.call('POST', `${TASKS}/batch/create`, {
    inputs: [{ properties: { hs_timestamp: String(AT), hs_task_subject: 'Call' } }],
  })
const tasks = () => hubspot.sandbox.records('tasks').length

describe('faults', () => {
  it('answer with the scripted status, body and headers, and do nothing', async () => {
    const body = { status: 'error', message: 'locked', category: 'LOCKED' }
    hubspot.sandbox.faults.push({
      method: 'POST',
      path: /tasks/,
      status: 423,
      body,
      headers: { 'Retry-After': '2' },
    })
    expect(hubspot.sandbox.faults.pending).toBe(1)
    const { status, json, headers } = await createTask()
    expect([status, json, headers.get('retry-after')]).toEqual([423, body, '2'])
    expect([tasks(), hubspot.sandbox.faults.pending]).toEqual([0, 0])
    expect((await createTask()).status).toBe(201)
  })

  it.each([
    { kind: 'reset', written: 0 },
    { kind: 'reset-after', written: 1 },
    { kind: 'half-body', written: 1 },
  ] as const)('$kind breaks the connection with $written written', async ({ kind, written }) => {
    hubspot.sandbox.faults.push({ kind })
    const outcome = await createTask().then(
      () => 'answered',
      () => 'broken',
    )
    expect(outcome).toBe('broken')
    expect(tasks()).toBe(written)
    expect(hubspot.sandbox.calls().at(-1)?.status).toBe(kind === 'half-body' ? 201 : 0)
  })

  it('empty-2xx answers complete without results and does nothing', async () => {
    hubspot.sandbox.faults.push({ kind: 'empty-2xx' })
    const { status, json } = await createTask()
    expect([status, json?.['status'], json?.['results']]).toEqual([200, 'COMPLETE', []])
    expect(tasks()).toBe(0)
  })

  it('can replace the answer to a call that was carried out', async () => {
    hubspot.sandbox.faults.push({ status: 502, body: '<html>Bad Gateway</html>', carriedOut: true })
    const { status, text } = await createTask()
    expect([status, text]).toEqual([502, '<html>Bad Gateway</html>'])
    expect(tasks()).toBe(1)
  })

  it('wait before the answer', async () => {
    hubspot.sandbox.faults.push({ delayMs: 40 })
    const start = performance.now()
    expect((await createTask()).status).toBe(201)
    expect(performance.now() - start).toBeGreaterThanOrEqual(38)
  })

  it('come at the nth call, as many times as scripted, first match first', async () => {
    hubspot.sandbox.faults.push({ path: /contacts/, status: 500 })
    hubspot.sandbox.faults.push({ path: /tasks/, nth: 2, times: 2, status: 503 })
    const statuses: number[] = []
    for (let i = 0; i < 4; i++) statuses.push((await createTask()).status)
    expect(statuses).toEqual([201, 503, 503, 201])
    expect(hubspot.sandbox.faults.pending).toBe(1)
    hubspot.sandbox.faults.clear()
    expect(hubspot.sandbox.faults.pending).toBe(0)
  })
})

describe('limits', () => {
  const contacts = '/crm/v3/objects/contacts'
  const search = (running: RunningHubspotSandbox) => running.call('POST', `${contacts}/search`, {})

  it('tell what is left on every answer that is no search', async () => {
    const { headers } = await hubspot.call('GET', contacts)
    expect(Object.fromEntries([...headers].filter(([name]) => name.includes('ratelimit')))).toEqual(
      {
        'x-hubspot-ratelimit-daily': '650000',
        'x-hubspot-ratelimit-daily-remaining': '649999',
        'x-hubspot-ratelimit-interval-milliseconds': '10000',
        'x-hubspot-ratelimit-max': '190',
        'x-hubspot-ratelimit-remaining': '189',
      },
    )
    const searched = await search(hubspot)
    expect([...searched.headers.keys()].filter((name) => name.includes('ratelimit'))).toEqual([])
    expect(searched.headers.get('x-hubspot-correlation-id')).toMatch(/^[0-9a-f-]{36}$/)
  })

  it('roll over ten seconds', async () => {
    const small = await startHubspotSandbox({ now: () => clock, limits: { burst: 2 } })
    const statuses: number[] = []
    let refused: unknown
    for (const wait of [0, 6000, 0, 4001, 0]) {
      clock += wait
      const answer = await small.call('GET', contacts)
      statuses.push(answer.status)
      if (answer.status === 429) refused ??= answer.json
    }
    const searched = await search(small)
    await small.close()
    expect(statuses).toEqual([200, 200, 429, 200, 429])
    expect(refused).toMatchObject({
      status: 'error',
      message: 'You have reached your ten_secondly_rolling limit.',
      errorType: 'RATE_LIMIT',
      policyName: 'TEN_SECONDLY_ROLLING',
    })
    expect(searched.status).toBe(200)
  })

  it('allow five searches in a second', async () => {
    const statuses: number[] = []
    for (let i = 0; i < 6; i++) statuses.push((await search(hubspot)).status)
    const refused = await search(hubspot)
    clock += 1000
    statuses.push((await search(hubspot)).status)
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 200])
    expect(refused.json).toEqual({
      status: 'error',
      message: 'You have reached your secondly limit.',
      category: 'RATE_LIMITS',
      correlationId: refused.headers.get('x-hubspot-correlation-id'),
    })
    expect(refused.headers.has('x-hubspot-ratelimit-daily-remaining')).toBe(true)
    expect(refused.headers.has('x-hubspot-ratelimit-max')).toBe(false)
  })

  it('start anew each day', async () => {
    const small = await startHubspotSandbox({ now: () => clock, limits: { daily: 2 } })
    const usage = '/account-info/v3/api-usage/daily/private-apps'
    await small.call('GET', contacts)
    const { json } = await small.call('GET', usage)
    const refused = await small.call('GET', contacts)
    clock += 14 * 3_600_000
    const next = await small.call('GET', contacts)
    await small.close()
    expect(json?.['results']).toEqual([
      expect.objectContaining({
        name: 'private-apps-api-calls-daily',
        usageLimit: 2,
        currentUsage: 2,
        resetsAt: '2026-11-21T00:00:00.000Z',
      }),
    ])
    expect(refused.json).toMatchObject({
      message: 'You have reached your daily limit.',
      policyName: 'DAILY',
    })
    expect([refused.status, next.status]).toEqual([429, 200])
  })
})
