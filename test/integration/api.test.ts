import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createApi } from '../../src/app/api/api.ts'
import { type ApiServer, listenApi } from '../../src/app/api/server.ts'
import { ConfigError } from '../../src/core/errors.ts'
import { API_TOKEN as TOKEN } from '../support/log-secrets.ts'
import { DOMAINS, WHO } from '../support/small-usage.ts'
import { removeFolders, type TestState } from '../support/state.ts'
import { closeThreads, openThread, pulledState, type Thread } from '../support/thread.ts'

let origin: TestState
let thread: Thread
let server: ApiServer
beforeAll(async () => {
  origin = await pulledState()
  thread = await openThread({ origin, environment: { RIPEN_PORT: '0' } })
  await thread.score()
  await thread.sync()
  server = await listenApi(createApi(thread.app), thread.app.config)
})
const others: ApiServer[] = []
afterEach(async () => {
  for (const other of others.splice(0)) await other.close()
})
afterAll(async () => {
  await server.close()
  await closeThreads()
  await origin.close()
  await removeFolders()
})

async function get(path: string, headers: Record<string, string> = {}, url = server.url) {
  const response = await fetch(`${url}${path}`, { headers })
  const text = await response.text()
  const type = response.headers.get('content-type') ?? ''
  return {
    status: response.status,
    type,
    text,
    json: type.includes('json') ? JSON.parse(text) : null,
  }
}

async function guarded(): Promise<string> {
  const config = { ...thread.app.config, RIPEN_API_TOKEN: TOKEN }
  const other = await listenApi(createApi({ ...thread.app, config }), config)
  others.push(other)
  return other.url
}

describe('the API', () => {
  it('says that it is alive and ready', async () => {
    expect(await get('/healthz')).toMatchObject({ status: 200, json: { status: 'ok' } })
    expect(await get('/readyz')).toMatchObject({ status: 200, json: { status: 'ready' } })
  })

  it('tells calls, records and open work as metrics', async () => {
    const { status, type, text } = await get('/metrics')
    expect({ status, type }).toMatchObject({ status: 200, type: expect.stringMatching(/^text\//) })
    expect(text).toMatch(/^ripen_crm_calls_total\{.*endpoint="POST tasks",status="201"\} 1$/m)
    expect(text).toMatch(/^ripen_crm_records\{crm="hubspot",state="in-sync"\} 5$/m)
    expect(text).not.toContain('@')
  })

  it('lists people and accounts, the best first', async () => {
    const people = (await get('/api/v1/people')).json
    expect(people).toMatchObject({ limit: 50, offset: 0 })
    const scores = people.items.map((item: { score: number }) => item.score)
    expect(scores).toEqual([...scores].sort((a, b) => b - a))
    expect(people.items).toHaveLength(10)
    expect(people.items[0]).toMatchObject({
      name: WHO.champion,
      score: 70,
      grade: 'B',
      usageStatus: 'qualified',
      reasons: expect.arrayContaining([expect.stringContaining('Invited colleagues')]),
    })
    const accounts = (await get('/api/v1/accounts')).json
    expect(accounts.items).toHaveLength(5)
    expect(accounts.items[0]).toMatchObject({ name: DOMAINS.fresh, score: 60 })
  })

  it('pages through a list without gap or repetition', async () => {
    const all = (await get('/api/v1/people?limit=500')).json.items
    const pages = []
    for (let offset = 0; offset < 12; offset += 3) {
      pages.push(...(await get(`/api/v1/people?limit=3&offset=${offset}`)).json.items)
    }
    expect(pages).toEqual(all)
  })

  it('keeps to the model that is asked for', async () => {
    expect((await get('/api/v1/people?model=people')).json.items).toHaveLength(10)
    expect((await get('/api/v1/people?model=another')).json.items).toEqual([])
  })

  it.each([
    'limit=0',
    'limit=501',
    'limit=ten',
    'offset=-1',
    'offset=1.5',
    `model=${'x'.repeat(65)}`,
  ])('refuses %s with the name of the parameter', async (query) => {
    const { status, type, json } = await get(`/api/v1/people?${query}`)
    expect({ status, type }).toMatchObject({
      status: 400,
      type: expect.stringContaining('application/problem+json'),
    })
    expect(json.detail).toContain(query.split('=')[0])
  })

  it('explains a person by id and by address, an account by id and by domain', async () => {
    const [person] = (await get('/api/v1/people?limit=1')).json.items
    const byId = (await get(`/api/v1/people/${person.id}/explanation`)).json
    expect(byId).toMatchObject({ subject: 'person', name: WHO.champion, account: DOMAINS.fresh })
    const [score] = byId.scores
    const points = score.contributions.map((part: { points: number }) => part.points)
    expect(points.reduce((sum: number, n: number) => sum + n, 0)).toBe(score.score)
    const address = encodeURIComponent(WHO.champion)
    expect((await get(`/api/v1/people/${address}/explanation`)).json).toEqual(byId)
    const [account] = (await get('/api/v1/accounts?limit=1')).json.items
    const ofAccount = (await get(`/api/v1/accounts/${account.id}/explanation`)).json
    expect(ofAccount).toMatchObject({ subject: 'account', name: DOMAINS.fresh })
    expect((await get(`/api/v1/accounts/${DOMAINS.fresh}/explanation`)).json).toEqual(ofAccount)
  })

  it.each([
    '/api/v1/people/nobody/explanation',
    `/api/v1/people/${DOMAINS.fresh}/explanation`,
    `/api/v1/accounts/${WHO.champion}/explanation`,
    '/api/v1/contacts',
    '/api/v2/people',
    '/',
  ])('knows nothing at %s', async (path) => {
    expect(await get(path)).toMatchObject({
      status: 404,
      type: expect.stringContaining('application/problem+json'),
      json: { status: 404 },
    })
  })

  it('says nothing about the software that it is made of', async () => {
    const response = await fetch(`${server.url}/healthz`)
    expect(response.headers.get('x-powered-by')).toBeNull()
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  })
})

describe('with a token', () => {
  it('lets in who sends it', async () => {
    const url = await guarded()
    const answer = await get('/api/v1/people', { authorization: `Bearer ${TOKEN}` }, url)
    expect(answer.status).toBe(200)
    expect((await get('/metrics', { authorization: `bearer ${TOKEN}` }, url)).status).toBe(200)
  })

  it.each([
    { who: 'who sends none', headers: {} },
    { who: 'who sends another', headers: { authorization: 'Bearer another-token-here' } },
    { who: 'who sends half of it', headers: { authorization: `Bearer ${TOKEN.slice(0, 16)}` } },
    { who: 'who sends it another way', headers: { authorization: `Basic ${TOKEN}` } },
  ])('turns away $who', async ({ headers }) => {
    const url = await guarded()
    for (const path of ['/api/v1/people', '/metrics', '/nothing']) {
      const { status, json, text } = await get(path, headers, url)
      expect(status).toBe(401)
      expect(json.detail).toContain('RIPEN_API_TOKEN')
      expect(text).not.toContain(TOKEN)
    }
    // Whoever watches over the process needs no token.
    for (const path of ['/healthz', '/readyz']) expect((await get(path, {}, url)).status).toBe(200)
  })

  it('without one, it does not listen where others can reach it', async () => {
    const config = { ...thread.app.config, RIPEN_HOST: '0.0.0.0' }
    const start = listenApi(createApi({ ...thread.app, config }), config)
    await expect(start).rejects.toThrow(ConfigError)
    await expect(start).rejects.toThrow(/RIPEN_API_TOKEN/)
  })

  it('a port that is taken is named', async () => {
    const port = Number(new URL(server.url).port)
    const config = { ...thread.app.config, RIPEN_PORT: port }
    await expect(listenApi(createApi(thread.app), config)).rejects.toThrow(
      new RegExp(`127.0.0.1:${port}.*RIPEN_PORT`),
    )
  })
})

describe('without its database', () => {
  it('is alive and not ready', async () => {
    const { db } = thread.app.context
    const broken = new Proxy(db, {
      get(target, name) {
        if (name === 'getExecutor') throw new Error('no connection for ana@northfield-tools.com')
        return Reflect.get(target, name)
      },
    })
    const context = { ...thread.app.context, db: broken }
    const other = await listenApi(createApi({ ...thread.app, context }), thread.app.config)
    others.push(other)
    expect((await get('/healthz', {}, other.url)).status).toBe(200)
    const { status, text } = await get('/readyz', {}, other.url)
    expect(status).toBe(503)
    expect(text).not.toContain('ana@')
  })
})
