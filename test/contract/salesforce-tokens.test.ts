import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  type AppGrant,
  createGrantedTokens,
} from '../../connectors/crms/salesforce/granted-tokens.ts'
import { createSalesforceOAuth } from '../../connectors/crms/salesforce/salesforce-oauth.ts'
import {
  type SalesforceStub,
  type StubAnswer,
  type StubCall,
  startSalesforceStub,
} from '../support/salesforce-stub.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PEM = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const ID = 'https://login.salesforce.com/id/00Dx0000000BV7z/005x00000012Q9P'
const MINUTE_MS = 60_000

const APP: AppGrant = { flow: 'client-credentials', clientId: 'app', clientSecret: 'app-secret' }
const JWT: AppGrant = {
  ...{ flow: 'jwt', clientId: 'app', username: 'ripen@acme.example', privateKey: PEM },
  audience: 'https://test.salesforce.com',
}

let stubs: SalesforceStub[] = []
afterEach(async () => {
  const closing = stubs
  stubs = []
  await Promise.all(closing.map((stub) => stub.close()))
})

async function endpoint(answer: (call: StubCall, count: number) => StubAnswer | undefined) {
  const stub = await startSalesforceStub(answer)
  stubs.push(stub)
  const options = { baseUrl: stub.baseUrl, timeoutMs: 1_000, lifetimeMs: 15 * MINUTE_MS }
  return { stub, options, formOf: (call?: StubCall) => new URLSearchParams(call?.body ?? '') }
}

const given = (token: string, more: object = {}): StubAnswer => ({
  json: { access_token: token, id: ID, instance_url: 'https://acme.example', ...more },
})

describe('an app that logs in by itself', () => {
  it('asks with its secret in the body, once for all callers, and keeps the token', async () => {
    const { stub, options, formOf } = await endpoint((_, n) => given(`t${n}`))
    const tokens = createGrantedTokens({ ...options, grant: APP })
    const got = await Promise.all([1, 2, 3].map(() => tokens.get(noSignal())))
    expect([...got, await tokens.get(noSignal())]).toEqual(['t1', 't1', 't1', 't1'])
    expect(stub.calls).toHaveLength(1)
    expect(stub.calls[0]?.path).toBe('/services/oauth2/token')
    expect(Object.fromEntries(formOf(stub.calls[0]))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'app',
      client_secret: 'app-secret',
    })
  })

  it('signs who it is, for whom and until when', async () => {
    const now = new Date('2026-11-20T10:00:00Z')
    const { stub, options, formOf } = await endpoint(() => given('t'))
    await createGrantedTokens({ ...options, grant: JWT, now: () => now }).get(noSignal())
    const form = formOf(stub.calls[0])
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [head = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(read(head)).toEqual({ alg: 'RS256' })
    expect(read(claims)).toEqual({
      ...{ iss: 'app', sub: 'ripen@acme.example', aud: 'https://test.salesforce.com' },
      exp: now.getTime() / 1_000 + 180,
    })
    const signed = Buffer.from(`${head}.${claims}`)
    const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }))
    expect(verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true)
  })

  it('logs in again before the session ends', async () => {
    let now = new Date('2026-11-20T10:00:00Z')
    const { options } = await endpoint((_, n) => given(`t${n}`))
    const tokens = createGrantedTokens({ ...options, grant: APP, now: () => now })
    await tokens.get(noSignal())
    now = new Date(now.getTime() + 9 * MINUTE_MS)
    expect(await tokens.get(noSignal())).toBe('t1')
    now = new Date(now.getTime() + 2 * MINUTE_MS)
    expect(await tokens.get(noSignal())).toBe('t2')
  })

  it('logs in for a refused token, three times an hour at most', async () => {
    const { stub, options } = await endpoint((_, n) => given(`t${n}`))
    const tokens = createGrantedTokens({ ...options, grant: APP })
    let token = await tokens.get(noSignal())
    for (const want of ['t2', 't3', 't4']) {
      const refused = token
      token = (await tokens.renew(refused, noSignal())) ?? ''
      expect(token).toBe(want)
      // Somebody else who had the old one gets the new one without a login.
      expect(await tokens.renew(refused, noSignal())).toBe(want)
    }
    expect((await failureOf(tokens.renew(token, noSignal()))).kind).toBe('config')
    expect(stub.calls).toHaveLength(4)
  })

  it.each([
    {
      name: 'refuses',
      status: 400,
      json: { error: 'invalid_grant', error_description: 'x' },
      kind: 'config',
    },
    { name: 'refuses the app', status: 401, json: { error: 'invalid_client' }, kind: 'config' },
    {
      name: 'has enough of logins',
      status: 400,
      json: { error: 'invalid_grant', error_description: 'login rate exceeded' },
      kind: 'rate-limited',
    },
    { name: 'is down', status: 503, json: {}, kind: 'retryable' },
    { name: 'gives nothing', status: 200, json: {}, kind: 'retryable' },
  ])('is told what to do when Salesforce $name', async ({ status, json, kind }) => {
    const { options } = await endpoint(() => ({ status, json }))
    const failure = await failureOf(createGrantedTokens({ ...options, grant: JWT }).get(noSignal()))
    expect(failure.kind).toBe(kind)
    expect(JSON.stringify([failure.message, failure])).not.toMatch(/app-secret|BEGIN|eyJ/)
  })

  it('needs a key that is one', async () => {
    const { options } = await endpoint(() => undefined)
    const grant: AppGrant = { ...JWT, privateKey: 'no key' }
    expect(() => createGrantedTokens({ ...options, grant })).toThrow('SALESFORCE_PRIVATE_KEY_FILE')
  })
})

describe('the authorisation code', () => {
  it('is asked for on the pages of the org, with a proof key', async () => {
    const { options } = await endpoint(() => undefined)
    const client = createSalesforceOAuth({ ...options, clientId: 'app', clientSecret: null })
    expect(client.pkce).toBe(true)
    const start = { redirectUri: 'http://localhost:1/cb', scopes: ['api', 'refresh_token'] }
    const url = new URL(client.authorizeUrl({ ...start, state: 's', challenge: 'c' }))
    expect(`${url.origin}${url.pathname}`).toBe(`${options.baseUrl}/services/oauth2/authorize`)
    expect(Object.fromEntries(url.searchParams)).toEqual({
      ...{ response_type: 'code', client_id: 'app', redirect_uri: start.redirectUri },
      ...{ scope: 'api refresh_token', state: 's' },
      ...{ code_challenge: 'c', code_challenge_method: 'S256' },
    })
  })

  it('is exchanged for tokens, and tells which org gave them', async () => {
    const { stub, options, formOf } = await endpoint(() =>
      given('t', { refresh_token: 'r1', scope: 'refresh_token api' }),
    )
    const client = createSalesforceOAuth({ ...options, clientId: 'app', clientSecret: 'sec' })
    const code = { code: 'c', redirectUri: 'http://localhost:1/cb', verifier: 'v' }
    expect(await client.exchange(code, noSignal())).toEqual({
      ...{ accessToken: 't', refreshToken: 'r1', lifetimeMs: options.lifetimeMs },
      ...{ account: '00Dx0000000BV7zEAG', scopes: ['refresh_token', 'api'] },
    })
    expect(Object.fromEntries(formOf(stub.calls[0]))).toMatchObject({
      ...{ grant_type: 'authorization_code', code: 'c', code_verifier: 'v' },
      ...{ client_id: 'app', client_secret: 'sec' },
    })
  })

  it.each([
    { name: 'a rotated refresh token', more: { refresh_token: 'r2' }, want: 'r2' },
    { name: 'none, where the old one stays good', more: {}, want: null },
  ])('refreshing gives $name', async ({ more, want }) => {
    // Without an id, on which jsforce breaks.
    const { stub, options, formOf } = await endpoint(() => given('t2', { ...more, id: undefined }))
    const client = createSalesforceOAuth({ ...options, clientId: 'app', clientSecret: null })
    const grant = await client.refresh('r1', noSignal())
    expect(grant).toMatchObject({ accessToken: 't2', refreshToken: want, account: null })
    expect(Object.fromEntries(formOf(stub.calls[0]))).toEqual({
      ...{ grant_type: 'refresh_token', refresh_token: 'r1', client_id: 'app' },
    })
  })
})
