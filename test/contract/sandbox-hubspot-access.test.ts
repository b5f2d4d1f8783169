import { createHash } from 'node:crypto'
import { afterEach, describe, expect, it } from '@jest/globals'
import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import {
  type RunningHubspotSandbox,
  startHubspotSandbox,
} from '../../sandbox/hubspot/start-hubspot-sandbox.ts'

const REDIRECT = 'http://localhost:9/back'
const VERIFIER = 'v'.repeat(64)
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url')
const SCOPES = ['crm.objects.contacts.read', 'oauth']

const open: RunningHubspotSandbox[] = []
afterEach(async () => {
  for (const sandbox of open.splice(0)) await sandbox.close()
})

async function start(options: HubspotSandboxOptions = {}) {
  const running = await startHubspotSandbox(options)
  open.push(running)
  return running
}

function authorizeQuery(more: Readonly<Record<string, string>> = {}): string {
  const query = { client_id: 'sandbox-client', redirect_uri: REDIRECT, scope: SCOPES.join(' ') }
  return new URLSearchParams({ ...query, state: 's-1', ...more }).toString()
}

/** What a person's browser is sent to after she has answered. */
async function answer({ baseUrl }: RunningHubspotSandbox, query: string, said = 'yes') {
  const response = await fetch(`${baseUrl}/oauth/authorize?${query}`, {
    method: 'POST',
    body: new URLSearchParams({ answer: said }),
    redirect: 'manual',
  })
  return new URL(response.headers.get('location') ?? 'none:')
}

async function token({ baseUrl }: RunningHubspotSandbox, form: Readonly<Record<string, string>>) {
  const client = { client_id: 'sandbox-client', client_secret: 'sandbox-secret' }
  const body = new URLSearchParams({ ...client, ...form })
  const response = await fetch(`${baseUrl}/oauth/2026-03/token`, { method: 'POST', body })
  const json = (await response.json()) as Record<string, unknown>
  return { status: response.status, json }
}

async function connected(running: RunningHubspotSandbox) {
  const back = await answer(running, authorizeQuery())
  const code = back.searchParams.get('code') ?? ''
  const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT }
  return (await token(running, form)).json as { access_token: string; refresh_token: string }
}

async function statusOf({ baseUrl }: RunningHubspotSandbox, bearer: string, path: string) {
  const headers = { authorization: `Bearer ${bearer}` }
  const response = await fetch(`${baseUrl}${path}`, { headers })
  const json = (await response.json()) as Record<string, unknown>
  return { status: response.status, json }
}

const CONTACTS = '/crm/v3/objects/contacts'

describe('letting an app into the HubSpot stand-in', () => {
  it('shows a page that names the scopes, and sends the browser back with code and state', async () => {
    const running = await start()
    const page = await fetch(`${running.baseUrl}/oauth/authorize?${authorizeQuery()}`)
    expect(await page.text()).toContain('crm.objects.contacts.read')
    const back = await answer(running, authorizeQuery())
    expect(`${back.origin}${back.pathname}`).toBe(REDIRECT)
    expect(back.searchParams.get('state')).toBe('s-1')
    expect(back.searchParams.get('code')).toMatch(/\S/)
    const declined = await answer(running, authorizeQuery(), 'no')
    expect(declined.searchParams.get('error')).toBe('access_denied')
  })

  it.each([
    { name: 'an unknown client', more: { client_id: 'nobody' } },
    { name: 'a foreign redirect address', more: { redirect_uri: 'https://evil.example/' } },
    { name: 'a scope of the app that is not asked for', more: { scope: 'oauth' } },
    { name: 'no proof key', more: { code_challenge: '' } },
  ])('refuses $name', async ({ more }) => {
    const app = { requiredScopes: ['crm.objects.contacts.read'], requirePkce: true }
    const running = await start({ app })
    const proof = { code_challenge: CHALLENGE, code_challenge_method: 'S256' }
    const query = authorizeQuery({ ...proof, ...more })
    const response = await fetch(`${running.baseUrl}/oauth/authorize?${query}`)
    expect(response.status).toBe(400)
  })

  it('gives tokens for a code once, in time, to the right client with the right address', async () => {
    let now = Date.now()
    const running = await start({ now: () => now })
    const form = async (more: Readonly<Record<string, string>> = {}) => {
      const code = (await answer(running, authorizeQuery())).searchParams.get('code') ?? ''
      return { grant_type: 'authorization_code', code, redirect_uri: REDIRECT, ...more }
    }
    const right = await form()
    expect((await token(running, right)).json).toMatchObject({ expires_in: 1800, scopes: SCOPES })
    expect((await token(running, right)).status).toBe(400)
    expect((await token(running, await form({ client_secret: 'no' }))).status).toBe(400)
    expect((await token(running, await form({ redirect_uri: 'http://localhost/x' }))).status).toBe(
      400,
    )
    const late = await form()
    now += 61_000
    expect((await token(running, late)).status).toBe(400)
  })

  it('checks a proof key that was announced', async () => {
    const running = await start()
    const proof = { code_challenge: CHALLENGE, code_challenge_method: 'S256' }
    for (const [verifier, status] of [
      ['wrong', 400],
      [VERIFIER, 200],
    ] as const) {
      const back = await answer(running, authorizeQuery(proof))
      const code = back.searchParams.get('code') ?? ''
      const form = { grant_type: 'authorization_code', code, redirect_uri: REDIRECT }
      expect((await token(running, { ...form, code_verifier: verifier })).status).toBe(status)
    }
  })

  it('refuses parameters in the address', async () => {
    const { baseUrl } = await start()
    const response = await fetch(`${baseUrl}/oauth/2026-03/token?client_secret=x`, {
      method: 'POST',
    })
    expect(response.status).toBe(400)
  })

  it('ends access tokens, and gives others for the refresh token', async () => {
    let now = Date.now()
    const running = await start({ now: () => now })
    const first = await connected(running)
    expect((await statusOf(running, first.access_token, CONTACTS)).status).toBe(200)
    now += 1_800_000
    const ended = await statusOf(running, first.access_token, CONTACTS)
    expect(ended).toMatchObject({ status: 401, json: { category: 'EXPIRED_AUTHENTICATION' } })
    const form = { grant_type: 'refresh_token', refresh_token: first.refresh_token }
    const second = (await token(running, form)).json as { access_token: string }
    expect((await statusOf(running, second.access_token, CONTACTS)).status).toBe(200)
    running.sandbox.access.revoke()
    const revoked = await statusOf(running, second.access_token, CONTACTS)
    expect(revoked).toMatchObject({ status: 401, json: { category: 'INVALID_AUTHENTICATION' } })
    expect((await token(running, form)).status).toBe(400)
  })

  it('changes refresh tokens when it is told to, and takes the old one no more', async () => {
    const running = await start({ app: { rotateRefreshTokens: true } })
    const { refresh_token: old } = await connected(running)
    const form = (refresh_token: string) => ({ grant_type: 'refresh_token', refresh_token })
    const { json } = await token(running, form(old))
    expect(json['refresh_token']).not.toBe(old)
    expect((await token(running, form(old))).status).toBe(400)
    expect((await token(running, form(String(json['refresh_token'])))).status).toBe(200)
  })

  it('tells what a token is good for', async () => {
    const running = await start({ scopes: ['crm.objects.owners.read'] })
    const { access_token } = await connected(running)
    const url = `${running.baseUrl}/oauth/2026-03/token/introspect`
    const about = async (text: string) => {
      const body = new URLSearchParams({ token: text })
      return (await fetch(url, { method: 'POST', body })).json()
    }
    expect(await about(access_token)).toMatchObject({ active: true, scopes: SCOPES })
    expect(await about('nothing')).toEqual({ active: false })
    const info = await running.call('POST', '/oauth/v2/private-apps/get/access-token-info', {
      tokenKey: 'sandbox-token',
    })
    expect(info.json).toMatchObject({ scopes: ['crm.objects.owners.read'] })
  })
})

describe('the scopes of a token', () => {
  it.each([
    ['GET', '/crm/v3/objects/contacts', 'crm.objects.contacts.read'],
    ['POST', '/crm/v3/objects/contacts/batch/read', 'crm.objects.contacts.read'],
    ['POST', '/crm/objects/2026-03/companies/search', 'crm.objects.companies.read'],
    ['POST', '/crm/v3/objects/companies/batch/update', 'crm.objects.companies.write'],
    ['POST', '/crm/v3/objects/tasks', 'crm.objects.contacts.write'],
    ['GET', '/crm/v3/owners', 'crm.objects.owners.read'],
    ['GET', '/crm/v3/properties/contacts', 'crm.schemas.contacts.read'],
    ['POST', '/crm/v3/properties/contacts/batch/create', 'crm.schemas.contacts.write'],
    ['PATCH', '/crm/v3/properties/companies/name', 'crm.schemas.companies.write'],
    ['GET', '/crm/property-validations/2026-03/0-2', 'crm.schemas.companies.read'],
    ['POST', '/crm/v4/associations/contacts/companies/batch/read', 'crm.objects.contacts.read'],
  ])('%s %s needs %s', async (method, path, scope) => {
    const running = await start({ scopes: ['something.else'] })
    const body = method === 'GET' ? undefined : { inputs: [] }
    const refused = await running.call(method, path, body)
    expect(refused.status).toBe(403)
    expect(refused.json).toMatchObject({ category: 'MISSING_SCOPES' })
    expect(refused.text).toContain(scope)
    running.sandbox.access.limitStaticToken([scope])
    expect((await running.call(method, path, body)).status).not.toBe(403)
  })

  it('are not asked for what every token may know', async () => {
    const { call } = await start({ scopes: [] })
    expect((await call('GET', '/account-info/v3/details')).status).toBe(200)
  })
})
