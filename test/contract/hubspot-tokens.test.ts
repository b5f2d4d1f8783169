import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from '@jest/globals'
import {
  createHubspotOAuth,
  type HubspotOAuthOptions,
} from '../../connectors/crms/hubspot/hubspot-oauth.ts'
import type { AccessTokens } from '../../src/core/ports/access-tokens.ts'
import { newContact } from './crm-contract-examples.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'
import { closeAccounts, connectHubspot, openAccount, TOKEN } from './hubspot-subject.ts'

afterEach(closeAccounts)

const EXPIRED = { status: 'error', category: 'EXPIRED_AUTHENTICATION', message: 'expired' }
const SECRETS = { clientId: 'sandbox-client', clientSecret: 'sandbox-secret' }
const REDIRECT = 'http://localhost:4020/oauth/hubspot/callback'

/** Tokens that are handed out in this order; `renewed` are those that the vendor refused. */
function tokensOf(...tokens: string[]): AccessTokens & { readonly renewed: string[] } {
  const renewed: string[] = []
  return {
    name: 'the OAuth connection of hubspot',
    renewed,
    get: async () => tokens[0] ?? '',
    renew: async (refused) => {
      renewed.push(refused)
      tokens.shift()
      return tokens[0] ?? null
    },
    scopes: async () => null,
  }
}

describe('the token of a call', () => {
  it('is asked for before each call', async () => {
    const { subject } = await openAccount()
    let asked = 0
    const get = async () => {
      asked += 1
      return TOKEN
    }
    const tokens = { ...tokensOf(TOKEN), get }
    const crm = connectHubspot(subject.baseUrl, { accessToken: tokens })
    await crm.check(noSignal())
    await crm.check(noSignal())
    expect(asked).toBe(2)
  })

  it('is renewed when it had expired, and the call is made once more, a create too', async () => {
    const { subject, sandbox } = await openAccount()
    const tokens = tokensOf('na1-old', TOKEN)
    const crm = connectHubspot(subject.baseUrl, { accessToken: tokens })
    const companyId = subject.seed('company', { domain: 'acme.example' })
    sandbox.faults.push({ path: /\/tasks$/, status: 401, body: EXPIRED })
    const task = { marker: 'rp-1', subject: 'x', body: 'y', dueAt: '2026-06-01T09:00:00.000Z' }
    const about = { priority: 'low', ownerId: null, companyId, contactIds: [] } as const
    const [outcome] = await crm.createTasks([{ ...task, ...about }], noSignal())
    expect(outcome?.kind).toBe('created')
    expect(subject.records('task')).toHaveLength(1)
    expect(tokens.renewed).toEqual(['na1-old'])
    expect(sandbox.calls().map(({ status }) => status)).toEqual([401, 201])
  })

  it('is renewed once for a call, and then a person must connect', async () => {
    const { subject, sandbox } = await openAccount()
    const tokens = tokensOf('na1-a', 'na1-b', 'na1-c')
    const crm = connectHubspot(subject.baseUrl, { accessToken: tokens })
    sandbox.faults.push({ path: /owners/, status: 401, times: 9, body: EXPIRED })
    const error = await failureOf(crm.check(noSignal()))
    expect(error.kind).toBe('config')
    expect(error.message).toContain('ripen connect --crm hubspot')
    expect(sandbox.calls()).toHaveLength(2)
  })

  it('is not renewed when HubSpot does not know it, or when it comes from the environment', async () => {
    const { subject, sandbox } = await openAccount()
    const tokens = tokensOf('na1-unknown', TOKEN)
    const stranger = connectHubspot(subject.baseUrl, { accessToken: tokens })
    expect((await failureOf(stranger.check(noSignal()))).kind).toBe('config')
    expect(tokens.renewed).toEqual([])
    sandbox.faults.push({ path: /owners/, status: 401, body: EXPIRED })
    const fixed = connectHubspot(subject.baseUrl)
    expect((await failureOf(fixed.check(noSignal()))).message).toContain('HUBSPOT_ACCESS_TOKEN')
    expect(sandbox.calls()).toHaveLength(2)
  })

  it('that cannot be had sends nothing', async () => {
    const { subject, sandbox } = await openAccount()
    const odd = tokensOf('na1 odd-token')
    const crm = connectHubspot(subject.baseUrl, { accessToken: odd })
    const work = crm.write('contact', [newContact(subject, 'p-1')], noSignal())
    const error = await failureOf(work)
    expect(error.message).not.toContain('odd-token')
    expect(sandbox.calls()).toEqual([])
  })
})

function oauth(baseUrl: string, options: Partial<HubspotOAuthOptions> = {}) {
  const addresses = { baseUrl, appUrl: baseUrl }
  return createHubspotOAuth({ ...addresses, ...SECRETS, pkce: false, timeoutMs: 5_000, ...options })
}

/** A person who opens the address and agrees; returns the code. */
async function agreeTo(address: string): Promise<string> {
  const response = await fetch(address, { method: 'POST', redirect: 'manual' })
  return new URL(response.headers.get('location') ?? 'none:').searchParams.get('code') ?? ''
}

describe('the token endpoint of HubSpot', () => {
  const start = { redirectUri: REDIRECT, scopes: ['oauth', 'a.b'], state: 's-1', challenge: null }

  it('exchanges a code and refreshes, with everything in the body', async () => {
    const { subject, sandbox } = await openAccount()
    const client = oauth(subject.baseUrl)
    const code = await agreeTo(client.authorizeUrl(start))
    const grant = await client.exchange({ code, redirectUri: REDIRECT, verifier: null }, noSignal())
    expect(grant).toMatchObject({
      lifetimeMs: 1_800_000,
      account: '4242424',
      scopes: ['oauth', 'a.b'],
    })
    const again = await client.refresh(grant.refreshToken ?? '', noSignal())
    expect(again.accessToken).not.toBe(grant.accessToken)
    expect(sandbox.calls().map(({ path, status }) => [path, status])).toEqual([
      ['/oauth/2026-03/token', 200],
      ['/oauth/2026-03/token', 200],
    ])
  })

  it('is asked to check a proof key only when one was announced', async () => {
    const { subject } = await openAccount()
    const client = oauth(subject.baseUrl)
    const plain = new URL(client.authorizeUrl(start)).searchParams
    expect(plain.has('code_challenge')).toBe(false)
    const proof = new URL(client.authorizeUrl({ ...start, challenge: 'c' })).searchParams
    expect([proof.get('code_challenge'), proof.get('code_challenge_method')]).toEqual(['c', 'S256'])
  })

  it('that refuses says what to do, without a secret', async () => {
    const { subject } = await openAccount()
    const client = oauth(subject.baseUrl, { clientSecret: 'a-wrong-secret' })
    const error = await failureOf(client.refresh('na1-refresh-token', noSignal()))
    expect(error.kind).toBe('config')
    expect(error.message).toContain('HUBSPOT_CLIENT_SECRET')
    expect(`${error.message} ${String(error.cause)}`).not.toMatch(/a-wrong-secret|na1-refresh/)
  })

  it.each([
    { name: 'a pause', fault: { status: 429, body: {} }, kind: 'rate-limited' },
    { name: 'a server error', fault: { status: 503, body: {} }, kind: 'retryable' },
    { name: 'a broken line', fault: { kind: 'reset' as const }, kind: 'retryable' },
    { name: 'an answer without tokens', fault: { status: 200, body: {} }, kind: 'retryable' },
  ])('answers with $name: $kind', async ({ fault, kind }) => {
    const { subject, sandbox } = await openAccount()
    sandbox.faults.push({ path: /oauth/, ...fault })
    const error = await failureOf(oauth(subject.baseUrl).refresh('na1-refresh', noSignal()))
    expect(error.kind).toBe(kind)
  })

  it('has a deadline as all calls have', async () => {
    const server = createServer(() => {})
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    const { port } = server.address() as AddressInfo
    const client = oauth(`http://127.0.0.1:${port}`, { timeoutMs: 100 })
    const error = await failureOf(client.refresh('na1-refresh', noSignal()))
    expect(error.kind).toBe('retryable')
    expect(error.message).toContain('DeadlineExceeded')
    const closed = new Promise((done) => server.close(done))
    server.closeAllConnections()
    await closed
  })
})
