import { createHash, createSign, generateKeyPairSync } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import { INTEGRATION_USER } from '../../sandbox/salesforce/org-setup.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

const AT = Date.parse('2026-11-20T10:00:00.000Z')
const KEYS = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const APP = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' }
const CALLBACK = 'http://localhost:3000/callback'

let running: RunningSalesforce
let clock = AT

async function start(options: Parameters<typeof startSalesforceSandbox>[0] = {}) {
  clock = AT
  running = await startSalesforceSandbox({ now: () => clock, ...options })
  return running
}

afterEach(async () => {
  await running.close()
})

async function token(form: Readonly<Record<string, string>>) {
  const response = await fetch(`${running.baseUrl}/services/oauth2/token`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  const json = (await response.json()) as Record<string, string>
  return { status: response.status, json }
}

async function statusWith(bearer: string | undefined): Promise<number> {
  const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
  const response = await fetch(`${running.baseUrl}/services/data/v67.0/limits`, { headers })
  await response.arrayBuffer()
  return response.status
}

function assertion(claims: Readonly<Record<string, unknown>> = {}, key = KEYS.privateKey): string {
  const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const all = {
    iss: 'sandbox-client',
    sub: INTEGRATION_USER,
    aud: 'https://login.salesforce.com',
    exp: AT / 1000 + 180,
    ...claims,
  }
  const signed = `${encode({ alg: 'RS256' })}.${encode(all)}`
  const signature = createSign('RSA-SHA256').update(signed).sign(key).toString('base64url')
  return `${signed}.${signature}`
}

const jwt = (claims?: Readonly<Record<string, unknown>>, key?: string) =>
  token({
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    assertion: assertion(claims, key),
  })

async function authorize(query: Readonly<Record<string, string>>) {
  const url = new URL(`${running.baseUrl}/services/oauth2/authorize`)
  const all = { response_type: 'code', client_id: APP.client_id, redirect_uri: CALLBACK, ...query }
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value)
  const body = new URLSearchParams({ answer: 'yes' })
  const response = await fetch(url, { method: 'POST', body, redirect: 'manual' })
  const text = await response.text()
  const location = response.headers.get('location')
  return { status: response.status, text, location: location === null ? null : new URL(location) }
}

async function connect(rotate: boolean) {
  await start({ app: { rotateRefreshTokens: rotate } })
  const code = (await authorize({})).location?.searchParams.get('code') ?? ''
  const { json } = await token({
    ...APP,
    grant_type: 'authorization_code',
    code,
    redirect_uri: CALLBACK,
  })
  return { access: json['access_token'] ?? '', refresh: json['refresh_token'] ?? '' }
}

const refresh = (refreshToken: string) =>
  token({ ...APP, grant_type: 'refresh_token', refresh_token: refreshToken })

describe('the JWT bearer flow', () => {
  it('lets in who signs with the registered key, without a refresh token', async () => {
    await start({ app: { certificate: KEYS.publicKey } })
    const { status, json } = await jwt()
    expect([status, json['token_type'], json['instance_url']]).toEqual([
      200,
      'Bearer',
      running.baseUrl,
    ])
    expect(json['id']).toMatch(/\/id\/00D[a-zA-Z0-9]{15}\/005[a-zA-Z0-9]{15}$/)
    expect(json['refresh_token']).toBeUndefined()
    expect(await statusWith(json['access_token'])).toBe(200)
  })

  it('takes the org itself as audience', async () => {
    await start({ app: { certificate: KEYS.publicKey } })
    expect((await jwt({ aud: running.baseUrl })).status).toBe(200)
  })

  const other = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey
  it.each([
    { name: 'another key', key: other, want: 'invalid assertion' },
    { name: 'another audience', claims: { aud: 'https://x.example' }, want: 'audience is invalid' },
    { name: 'another issuer', claims: { iss: 'who' }, want: 'client identifier invalid' },
    { name: 'an end that passed', claims: { exp: AT / 1000 - 1 }, want: 'assertion has expired' },
    {
      name: 'an unknown user',
      claims: { sub: 'nobody@sandbox.example' },
      want: "user hasn't approved this consumer",
    },
    { name: 'a user who left', claims: { sub: 'left@sandbox.example' }, want: 'user is inactive' },
  ])('refuses $name', async ({ claims, key, want }) => {
    await start({ app: { certificate: KEYS.publicKey } })
    const { status, json } = await jwt(claims, key)
    expect([status, json['error_description']]).toEqual([400, want])
  })

  it('is closed while no certificate is registered', async () => {
    await start()
    expect((await jwt()).json['error']).toBe('invalid_grant')
  })
})

describe('client credentials', () => {
  it('run as the integration user', async () => {
    await start()
    const { status, json } = await token({ ...APP, grant_type: 'client_credentials' })
    expect([status, json['id']?.split('/').at(-1)]).toEqual([
      200,
      running.sandbox.users.integration,
    ])
  })

  it('are refused with a wrong secret, and where nobody is set to run as', async () => {
    await start({ app: { runAs: null } })
    const wrong = await token({ ...APP, client_secret: 'x', grant_type: 'client_credentials' })
    expect([wrong.status, wrong.json['error']]).toEqual([400, 'invalid_client'])
    const off = await token({ ...APP, grant_type: 'client_credentials' })
    expect(off.json['error_description']).toBe('no client credentials user enabled')
  })
})

describe('the authorization code', () => {
  it('is exchanged once, with the state passed through', async () => {
    await start()
    const { location } = await authorize({ state: 's 1' })
    const code = location?.searchParams.get('code') ?? ''
    const form = { ...APP, grant_type: 'authorization_code', code, redirect_uri: CALLBACK }
    expect(location?.searchParams.get('state')).toBe('s 1')
    const first = await token(form)
    expect([first.status, typeof first.json['refresh_token']]).toEqual([200, 'string'])
    expect((await token(form)).json).toEqual({
      error: 'invalid_grant',
      error_description: 'invalid authorization code',
    })
  })

  it.each([
    { name: 'the right verifier', verifier: 'v'.repeat(64), want: 200 },
    { name: 'a wrong verifier', verifier: 'w'.repeat(64), want: 400 },
  ])('answers $want to $name', async ({ verifier, want }) => {
    await start({ app: { requirePkce: true } })
    const challenge = createHash('sha256').update('v'.repeat(64)).digest('base64url')
    const { location } = await authorize({ code_challenge: challenge })
    const code = location?.searchParams.get('code') ?? ''
    const { client_id } = APP
    const form = { client_id, code, redirect_uri: CALLBACK, code_verifier: verifier }
    expect((await token({ ...form, grant_type: 'authorization_code' })).status).toBe(want)
  })

  it('is not given without a challenge where one is required, nor to a foreign address', async () => {
    await start({ app: { requirePkce: true } })
    expect((await authorize({})).text).toContain('missing required code challenge')
    const away = await authorize({ redirect_uri: 'https://evil.example/', code_challenge: 'x' })
    expect([away.status, away.location]).toEqual([400, null])
  })

  it('ends after its time', async () => {
    await start({ app: { codeMs: 1000 } })
    const code = (await authorize({})).location?.searchParams.get('code') ?? ''
    clock += 1001
    const form = { ...APP, grant_type: 'authorization_code', code, redirect_uri: CALLBACK }
    expect((await token(form)).json['error_description']).toBe('expired authorization code')
  })
})

describe('refresh tokens', () => {
  it('stay the same without rotation', async () => {
    const { refresh: old } = await connect(false)
    const { json } = await refresh(old)
    expect(json['refresh_token']).toBeUndefined()
    expect((await refresh(old)).status).toBe(200)
  })

  it('rotate: the used one dies, and its re-use ends the whole family', async () => {
    const { refresh: old } = await connect(true)
    const { json } = await refresh(old)
    const { access_token: access = '', refresh_token: fresh = '' } = json
    expect(fresh).not.toBe(old)
    expect(await statusWith(access)).toBe(200)
    expect((await refresh(old)).json).toEqual({
      error: 'invalid_grant',
      error_description: 'expired access/refresh token',
    })
    expect([(await refresh(fresh)).status, await statusWith(access)]).toEqual([400, 401])
  })

  it('end when they are revoked, with their access tokens', async () => {
    const { access, refresh: old } = await connect(false)
    const response = await fetch(`${running.baseUrl}/services/oauth2/revoke`, {
      method: 'POST',
      body: new URLSearchParams({ token: old }),
    })
    expect(response.status).toBe(200)
    expect([await statusWith(access), (await refresh(old)).status]).toEqual([401, 400])
  })
})

describe('access tokens', () => {
  it('end by themselves and on demand', async () => {
    await start({ app: { accessTokenMs: 60_000 } })
    const { json } = await token({ ...APP, grant_type: 'client_credentials' })
    const access = json['access_token']
    expect(await statusWith(access)).toBe(200)
    clock += 60_001
    expect(await statusWith(access)).toBe(401)
    const issued = running.sandbox.access.issue()
    running.sandbox.access.expireAccessTokens()
    expect(await statusWith(issued)).toBe(401)
  })

  it('are missed with INVALID_SESSION_ID, in a list', async () => {
    await start()
    const { status, json } = await running.call('GET', '/limits', undefined, {
      authorization: 'Bearer nope',
    })
    const body = [{ message: 'Session expired or invalid', errorCode: 'INVALID_SESSION_ID' }]
    expect([status, json]).toEqual([401, body])
  })

  it('tell who they belong to', async () => {
    await start()
    const { json } = await running.call('GET', '/services/oauth2/userinfo')
    const who = json as Record<string, unknown>
    expect(who['preferred_username']).toBe(INTEGRATION_USER)
    expect(running.token.split('!')[0]).toBe(String(who['organization_id']).slice(0, 15))
    const path = String(who['id']).replace(running.baseUrl, '')
    expect((await running.call('GET', path)).json).toMatchObject({ user_id: who['user_id'] })
  })
})

describe('the day’s calls', () => {
  it('are told in a header by every answer but the list of versions', async () => {
    await start({ limits: { dailyCalls: 100 } })
    const versions = await fetch(`${running.baseUrl}/services/data/`)
    const list = (await versions.json()) as { version: string; label: string }[]
    expect(versions.headers.get('sforce-limit-info')).toBeNull()
    expect(list.at(-1)).toEqual({
      label: "Summer '26",
      url: '/services/data/v67.0',
      version: '67.0',
    })
    const first = await running.call('GET', '/limits')
    expect(first.headers.get('sforce-limit-info')).toBe('api-usage=1/100')
    expect(first.json).toMatchObject({ DailyApiRequests: { Max: 100, Remaining: 99 } })
    const missing = await running.call('GET', '/sobjects/Nothing/describe')
    expect([missing.status, missing.headers.get('sforce-limit-info')]).toEqual([
      404,
      'api-usage=2/100',
    ])
  })

  it('run out with 403, and come back within a day', async () => {
    await start({ limits: { dailyCalls: 10 } })
    running.sandbox.useCalls(9)
    expect((await running.call('GET', '/limits')).status).toBe(200)
    const { status, json } = await running.call('GET', '/limits')
    const body = [{ errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' }]
    expect([status, json]).toEqual([403, body])
    running.sandbox.clock.advance(86_400_000)
    expect((await running.call('GET', '/limits')).status).toBe(200)
  })

  it('may run over for a while, which the header tells', async () => {
    await start({ limits: { dailyCalls: 1, overage: 1 } })
    await running.call('GET', '/limits')
    const over = await running.call('GET', '/limits')
    expect(over.headers.get('sforce-limit-info')).toBe('api-usage=2/1; api-bursts=1/1')
    expect((await running.call('GET', '/limits')).status).toBe(403)
  })
})
