import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { createHubspotOAuth } from '../../connectors/crms/hubspot/hubspot-oauth.ts'
import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'
import type { AccessTokens } from '../../src/core/ports/access-tokens.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { readCredential, removeCredential } from '../../src/infra/secrets/credential-store.ts'
import { createKeyring } from '../../src/infra/secrets/keyring.ts'
import { createOAuthFlow, type OAuthFlow } from '../../src/infra/secrets/oauth-flow.ts'
import { createTokenKeeper } from '../../src/infra/secrets/token-keeper.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

const REDIRECT = 'http://localhost:4020/oauth/hubspot/callback'
const KEY = randomBytes(32).toString('base64')
const keyring = createKeyring(KEY)
const signal = new AbortController().signal
const MINUTE_MS = 60_000

let state: TestState
let databases: Database[] = []
let sandbox: RunningHubspotSandbox
let now: number
const clock = () => new Date(now)

beforeEach(async () => {
  now = Date.UTC(2026, 8, 10, 8)
  state = await createState()
  databases = []
})
afterEach(async () => {
  for (const database of databases) await database.close()
  await sandbox.close()
  await state.close()
})
afterAll(removeFolders)

/** A database connection of one process. */
async function database(): Promise<Database> {
  const opened = await openDatabase(state.databaseUrl ?? '')
  databases.push(opened)
  return opened
}

function client() {
  return createHubspotOAuth({
    baseUrl: sandbox.baseUrl,
    appUrl: sandbox.baseUrl,
    clientId: 'sandbox-client',
    clientSecret: 'sandbox-secret',
    pkce: true,
    timeoutMs: 5_000,
  })
}

async function open(app: HubspotSandboxOptions['app'] = {}) {
  sandbox = await startHubspotSandbox({ app, now: () => now })
  const { db } = await database()
  const connection = 'hubspot'
  const flow = createOAuthFlow({ db, keyring, connection, client: client(), now: clock })
  return { db, flow }
}

/** A person opens the address and agrees; what her browser brings back. */
async function agree(address: string): Promise<URLSearchParams> {
  const response = await fetch(address, { method: 'POST', redirect: 'manual' })
  return new URL(response.headers.get('location') ?? 'none:').searchParams
}

async function connect(flow: OAuthFlow): Promise<void> {
  await flow.finish(await agree(await flow.start(REDIRECT, ['oauth'])), signal)
  sandbox.sandbox.resetCalls()
}

async function keeper(): Promise<AccessTokens> {
  const { db, pool } = await database()
  const stored = { db, pool, keyring, connection: 'hubspot', client: client() }
  return createTokenKeeper({ ...stored, mend: 'connect', timeoutMs: 10_000, now: clock })
}

const tokenCalls = () => sandbox.sandbox.calls().filter(({ path }) => path.endsWith('/token'))

describe('connecting', () => {
  it('keeps the tokens, and nothing of them can be read in the database', async () => {
    const { db, flow } = await open()
    const address = await flow.start(REDIRECT, ['oauth'])
    const begun = await db.selectFrom('oauth_state').selectAll().executeTakeFirstOrThrow()
    const back = await agree(address)
    expect(await flow.finish(back, signal)).toEqual({ account: '4242424', scopes: ['oauth'] })
    const stored = await readCredential(db, keyring, 'hubspot')
    const row = await db.selectFrom('credential').selectAll().executeTakeFirstOrThrow()
    const seen = JSON.stringify([row, begun]) + row.sealed.toString('latin1')
    const secret = back.get('state')?.split('.')[1] ?? ''
    for (const text of [stored?.accessToken, stored?.refreshToken, secret]) {
      expect(text).toMatch(/\S{20}/)
      expect(seen).not.toContain(text)
      expect(seen).not.toContain(
        Buffer.from(text ?? '')
          .toString('base64')
          .slice(0, 20),
      )
    }
    expect(await db.selectFrom('oauth_state').selectAll().execute()).toEqual([])
  })

  it.each([
    { name: 'used twice', twice: true, change: () => {} },
    { name: 'of another connection', change: (p: URLSearchParams) => p.set('state', 'a.b') },
    {
      name: 'with a wrong secret',
      change: (p: URLSearchParams) => p.set('state', `${p.get('state')}x`),
    },
    {
      name: 'that comes later than ten minutes',
      change: () => {
        now += 10 * MINUTE_MS
      },
    },
    { name: 'without a state', change: (p: URLSearchParams) => p.delete('state') },
  ])('refuses an answer $name, and asks HubSpot nothing', async ({ twice, change }) => {
    const { db, flow } = await open()
    const back = await agree(await flow.start(REDIRECT, ['oauth']))
    if (twice) await flow.finish(back, signal)
    sandbox.sandbox.resetCalls()
    change(back)
    await expect(flow.finish(back, signal)).rejects.toMatchObject({ kind: 'config' })
    expect(tokenCalls()).toEqual([])
    const rows = await db.selectFrom('credential').select('connection').execute()
    expect(rows).toHaveLength(twice ? 1 : 0)
  })

  it('is over with the first try, even a wrong one', async () => {
    const { flow } = await open()
    const back = await agree(await flow.start(REDIRECT, ['oauth']))
    const wrong = new URLSearchParams({ state: `${back.get('state')}x`, code: 'x' })
    await expect(flow.finish(wrong, signal)).rejects.toMatchObject({ kind: 'config' })
    await expect(flow.finish(back, signal)).rejects.toMatchObject({ kind: 'config' })
  })

  it('tells that somebody refused, without words that are not of the standard', async () => {
    const { flow } = await open()
    const refused = async (error: string) => {
      const state = new URL(await flow.start(REDIRECT, ['oauth'])).searchParams.get('state') ?? ''
      return flow.finish(new URLSearchParams({ state, error }), signal)
    }
    await expect(refused('access_denied')).rejects.toThrow('access_denied')
    await expect(refused('<b>Call 555')).rejects.toThrow(/^access to hubspot was not given; /)
  })
})

describe('refreshing', () => {
  it('happens before the end, and only then', async () => {
    const { flow } = await open()
    await connect(flow)
    const tokens = await keeper()
    const first = await tokens.get(signal)
    now += 24 * MINUTE_MS
    expect(await tokens.get(signal)).toBe(first)
    expect(tokenCalls()).toHaveLength(0)
    now += 1.1 * MINUTE_MS
    expect(await tokens.get(signal)).not.toBe(first)
    expect(tokenCalls()).toHaveLength(1)
  })

  it('is one call, however many processes need a token at once', async () => {
    const { flow } = await open({ rotateRefreshTokens: true })
    await connect(flow)
    const processes = await Promise.all([keeper(), keeper(), keeper(), keeper()])
    now += 40 * MINUTE_MS
    sandbox.sandbox.faults.push({ path: /token$/, delayMs: 150 })
    const all = await Promise.all(
      processes.flatMap((tokens) => [tokens.get(signal), tokens.get(signal), tokens.get(signal)]),
    )
    expect(new Set(all).size).toBe(1)
    expect(tokenCalls()).toHaveLength(1)
  })

  it('keeps a changed refresh token before the access token is used', async () => {
    const { db, flow } = await open({ rotateRefreshTokens: true })
    await connect(flow)
    const before = await readCredential(db, keyring, 'hubspot')
    now += 40 * MINUTE_MS
    const token = await (await keeper()).get(signal)
    const after = await readCredential(db, keyring, 'hubspot')
    expect(after).toMatchObject({ accessToken: token, generation: (before?.generation ?? 0) + 1 })
    expect(after?.refreshToken).not.toBe(before?.refreshToken)
    now += 40 * MINUTE_MS
    expect(await (await keeper()).get(signal)).not.toBe(token)
  })

  it('after a refusal is one call for all that were refused the same token', async () => {
    const { flow } = await open()
    await connect(flow)
    const [one, two] = await Promise.all([keeper(), keeper()])
    const refused = await one.get(signal)
    const renewed = await Promise.all([one.renew(refused, signal), two.renew(refused, signal)])
    expect(new Set(renewed).size).toBe(1)
    expect(renewed).not.toContain(refused)
    expect(tokenCalls()).toHaveLength(1)
  })

  it('after refusals stops when new tokens are refused as well, until an hour has passed', async () => {
    const { flow } = await open()
    await connect(flow)
    const tokens = await keeper()
    let token = await tokens.get(signal)
    for (let i = 0; i < 3; i += 1) token = (await tokens.renew(token, signal)) ?? ''
    await expect(tokens.renew(token, signal)).rejects.toMatchObject({ kind: 'config' })
    expect(tokenCalls()).toHaveLength(3)
    now += 61 * MINUTE_MS
    expect(await tokens.renew(await tokens.get(signal), signal)).toMatch(/^na1-access/)
  })

  it('that fails is tried again by the next call', async () => {
    const { flow } = await open()
    await connect(flow)
    const tokens = await keeper()
    now += 40 * MINUTE_MS
    sandbox.sandbox.faults.push({ path: /token$/, kind: 'reset' })
    await expect(tokens.get(signal)).rejects.toMatchObject({ kind: 'retryable' })
    expect(await tokens.get(signal)).toMatch(/^na1-access/)
  })

  it('that HubSpot refuses says that a person must connect', async () => {
    const { flow } = await open()
    await connect(flow)
    now += 40 * MINUTE_MS
    sandbox.sandbox.access.revoke()
    const work = (await keeper()).get(signal)
    await expect(work).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('ripen connect'),
    })
  })

  it('may be given up by one caller without ending it for the others', async () => {
    const { flow } = await open()
    await connect(flow)
    const tokens = await keeper()
    now += 40 * MINUTE_MS
    sandbox.sandbox.faults.push({ path: /token$/, delayMs: 150 })
    const impatient = new AbortController()
    const given = tokens.get(impatient.signal)
    const patient = tokens.get(signal)
    impatient.abort()
    await expect(given).rejects.toMatchObject({ kind: 'retryable' })
    expect(await patient).toMatch(/^na1-access/)
    expect(tokenCalls()).toHaveLength(1)
  })

  it('brings nothing back that was disconnected meanwhile', async () => {
    const { db, flow } = await open()
    await connect(flow)
    const tokens = await keeper()
    now += 40 * MINUTE_MS
    sandbox.sandbox.faults.push({ path: /token$/, delayMs: 300 })
    const work = tokens.get(signal)
    const settled = expect(work).rejects.toMatchObject({ kind: 'config' })
    await removeCredential(db, 'hubspot')
    await settled
    expect(await readCredential(db, keyring, 'hubspot')).toBeNull()
    await expect(tokens.get(signal)).rejects.toThrow('hubspot is not connected; connect')
  })

  it('seals with the newest key', async () => {
    const { db, flow } = await open()
    await connect(flow)
    const newer = createKeyring(`${randomBytes(32).toString('base64')},${KEY}`)
    const { pool } = await database()
    const stored = { db, pool, keyring: newer, connection: 'hubspot', client: client() }
    now += 40 * MINUTE_MS
    const options = { ...stored, mend: 'connect', timeoutMs: 10_000, now: clock }
    await createTokenKeeper(options).get(signal)
    const row = await db.selectFrom('credential').select('key_id').executeTakeFirstOrThrow()
    expect(row.key_id).toBe(newer.keyId)
  })
})
