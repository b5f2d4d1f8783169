import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { createApi } from '../../src/app/api/api.ts'
import { type ApiServer, listenApi } from '../../src/app/api/server.ts'
import { failWork, readWork, requestWork } from '../../src/infra/postgres/work.ts'
import { removeFolders } from '../support/state.ts'
import { closeThreads, openThread, type Thread } from '../support/thread.ts'

const TOKEN = 'a-token-of-sixteen-characters'
const PUBLIC = 'http://localhost/ripen'
const bearer = { authorization: `Bearer ${TOKEN}` }
let thread: Thread
let server: ApiServer
const servers: ApiServer[] = []

async function serve(publicUrl: string | undefined): Promise<ApiServer> {
  const { app } = thread
  const config = { ...app.config, RIPEN_API_TOKEN: TOKEN, RIPEN_PUBLIC_URL: publicUrl }
  const started = await listenApi(createApi({ ...app, config }), config)
  servers.push(started)
  return started
}

beforeAll(async () => {
  thread = await openThread({
    working: false,
    environment: {
      RIPEN_PORT: '0',
      HUBSPOT_ACCESS_TOKEN: '',
      HUBSPOT_CLIENT_ID: 'sandbox-client',
      HUBSPOT_CLIENT_SECRET: 'sandbox-secret',
      RIPEN_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    },
  })
  server = await serve(PUBLIC)
})
afterEach(() => thread.vendors.hubspot.resetCalls())
afterAll(async () => {
  for (const one of servers) await one.close()
  await closeThreads()
  await removeFolders()
})

const start = (headers: Record<string, string> = bearer, url = server.url) =>
  fetch(`${url}/oauth/hubspot/start`, { headers, redirect: 'manual' })

/** Where HubSpot sends the browser of somebody who agrees, at the server of this test. */
async function agree(): Promise<string> {
  const address = new URL((await start()).headers.get('location') ?? 'none:')
  const page = `${thread.vendors.baseUrl}/oauth/authorize${address.search}`
  const response = await fetch(page, { method: 'POST', redirect: 'manual' })
  const back = new URL(response.headers.get('location') ?? 'none:')
  return `${server.url}${back.pathname.replace('/ripen', '')}${back.search}`
}

describe('letting Ripen in over the API', () => {
  it('begins with the token of the API only', async () => {
    expect((await start({})).status).toBe(401)
    const begun = await start()
    expect(begun.status).toBe(302)
    const address = new URL(begun.headers.get('location') ?? 'none:')
    expect(address.origin).toBe('https://app.hubspot.com')
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      client_id: 'sandbox-client',
      redirect_uri: `${PUBLIC}/oauth/hubspot/callback`,
      scope: expect.stringContaining('crm.schemas.contacts.write'),
      code_challenge_method: 'S256',
    })
  })

  it('ends where the browser comes back, and what waited for it is tried again', async () => {
    const { db } = thread.app.context
    const steps = ['reconcile', 'listen'] as const
    for (const step of steps) {
      await requestWork(db, step, 'hubspot')
      const [work] = await readWork(db, step, 'hubspot')
      await failWork(db, step, 'hubspot', work?.requested ?? 0, 'config', 'not connected')
    }
    const back = await agree()
    const page = await fetch(back)
    expect(page.status).toBe(200)
    expect(page.headers.get('cache-control')).toBe('no-store')
    expect(await page.text()).toContain('Connected')
    for (const step of steps) expect((await readWork(db, step, 'hubspot'))[0]?.failed).toBe(0)
    expect((await fetch(back)).status).toBe(400)
  })

  it('repeats nothing of an address that somebody made up', async () => {
    const made = `${server.url}/oauth/hubspot/callback?state=a.b&error=%3Cscript%3E`
    const page = await fetch(made)
    expect(page.status).toBe(400)
    expect(await page.text()).not.toContain('script')
    expect(thread.vendors.hubspot.calls()).toEqual([])
  })

  it('is not there without a public address, or for what has no app', async () => {
    const other = await serve(undefined)
    expect((await start(bearer, other.url)).status).toBe(404)
    expect((await fetch(`${other.url}/oauth/hubspot/callback?state=a.b`)).status).toBe(404)
    expect((await fetch(`${server.url}/oauth/nothing/callback`)).status).toBe(404)
  })

  it('refuses another account once records are linked', async () => {
    const { db } = thread.app.context
    await db.updateTable('crm_account').set({ account: '1' }).execute()
    expect((await fetch(await agree())).status).toBe(200)
    await db.updateTable('crm_account').set({ account: '1' }).execute()
    const record = { ref: 'per_1', crm: 'hubspot', object: 'contact', crm_id: '7' } as const
    const states = { may_create: false, lookup: '{}', desired: '{}', desired_on_create: '{}' }
    await db
      .insertInto('crm_record')
      .values({ ...record, ...states, state: 'in-sync' })
      .execute()
    const page = await fetch(await agree())
    expect(page.status).toBe(400)
    expect(await page.text()).toContain('take a new database')
  })
})
