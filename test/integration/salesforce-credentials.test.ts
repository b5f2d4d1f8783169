import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type AppGrant,
  createGrantedTokens,
} from '../../connectors/crms/salesforce/granted-tokens.ts'
import { createSalesforceCrm } from '../../connectors/crms/salesforce/salesforce-crm.ts'
import { createSalesforceOAuth } from '../../connectors/crms/salesforce/salesforce-oauth.ts'
import type { ClientAppOptions } from '../../sandbox/salesforce/oauth/client-app.ts'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'
import type { AccessTokens } from '../../src/core/ports/access-tokens.ts'
import { type Database, openDatabase } from '../../src/infra/postgres/database.ts'
import { readCredential } from '../../src/infra/secrets/credential-store.ts'
import { createKeyring } from '../../src/infra/secrets/keyring.ts'
import { createOAuthFlow } from '../../src/infra/secrets/oauth-flow.ts'
import { createTokenKeeper } from '../../src/infra/secrets/token-keeper.ts'
import { createState, removeFolders, type TestState } from '../support/state.ts'

const REDIRECT = 'http://localhost:4020/oauth/salesforce/callback'
const keyring = createKeyring(randomBytes(32).toString('base64'))
const signal = new AbortController().signal
const KEYS = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' } as const

let state: TestState
let databases: Database[] = []
let org: RunningSalesforce

beforeEach(async () => {
  state = await createState()
  databases = []
})
afterEach(async () => {
  for (const database of databases) await database.close()
  await org.close()
  await state.close()
})
afterAll(removeFolders)

async function database(): Promise<Database> {
  const opened = await openDatabase(state.databaseUrl ?? '')
  databases.push(opened)
  return opened
}

const endpoint = () => ({ baseUrl: org.baseUrl, timeoutMs: 5_000, lifetimeMs: 15 * 60_000 })
const client = () =>
  createSalesforceOAuth({ ...endpoint(), clientId: 'sandbox-client', clientSecret: null })
const tokenCalls = () => org.sandbox.calls().filter(({ path }) => path === '/services/oauth2/token')
const crmOf = (accessToken: AccessTokens) =>
  createSalesforceCrm({
    ...{ baseUrl: org.baseUrl, accessToken, keyField: KEYS },
    pace: async () => {},
  })

/** An app that a person has let in. */
async function connected(app: ClientAppOptions = {}) {
  org = await startSalesforceSandbox({ app: { requirePkce: true, ...app } })
  const { db } = await database()
  const flow = createOAuthFlow({ db, keyring, connection: 'salesforce', client: client() })
  const address = await flow.start(REDIRECT, ['api', 'refresh_token'])
  const response = await fetch(address, {
    method: 'POST',
    body: new URLSearchParams({ answer: 'yes' }),
    redirect: 'manual',
  })
  const back = new URL(response.headers.get('location') ?? 'none:').searchParams
  const account = await flow.finish(back, signal)
  org.sandbox.resetCalls()
  const keeper = async (): Promise<AccessTokens> => {
    const { db, pool } = await database()
    const stored = { db, pool, keyring, connection: 'salesforce', client: client() }
    return createTokenKeeper({ ...stored, mend: 'connect', timeoutMs: 10_000 })
  }
  const refreshToken = async () => (await readCredential(db, keyring, 'salesforce'))?.refreshToken
  return { account, keeper, refreshToken }
}

describe('a connection to Salesforce', () => {
  it('is made with a proof key, and knows its org', async () => {
    const { account, keeper } = await connected()
    const crm = crmOf(await keeper())
    expect(account.account).toBe(await crm.accountId(signal))
  })

  it('outlives rotation: every refresh token is stored before its access token is used', async () => {
    const { keeper, refreshToken } = await connected({ rotateRefreshTokens: true })
    const crm = crmOf(await keeper())
    const seen = new Set([await refreshToken()])
    for (let round = 1; round <= 3; round++) {
      org.sandbox.access.expireAccessTokens()
      await crm.check(signal)
      seen.add(await refreshToken())
      expect(seen.size).toBe(round + 1)
    }
    expect(tokenCalls()).toHaveLength(3)
  })

  it('is refreshed by one of two processes, and both go on', async () => {
    const { keeper } = await connected({ rotateRefreshTokens: true })
    const crms = [crmOf(await keeper()), crmOf(await keeper())]
    for (const crm of crms) await crm.check(signal)
    org.sandbox.access.expireAccessTokens()
    org.sandbox.resetCalls()
    const calls = [1, 2, 3].flatMap(() => crms.map((crm) => crm.check(signal)))
    await expect(Promise.all(calls)).resolves.toHaveLength(6)
    expect(tokenCalls()).toHaveLength(1)
  })

  it('that was taken away is a matter of configuration', async () => {
    const { keeper } = await connected()
    const crm = crmOf(await keeper())
    org.sandbox.access.revokeAll()
    await expect(crm.check(signal)).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining('ripen connect --crm salesforce'),
    })
  })
})

describe('an app that logs in by itself', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const certificate = publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const grants: Readonly<Record<string, AppGrant>> = {
    'client credentials': {
      ...{ flow: 'client-credentials', clientId: 'sandbox-client', clientSecret: 'sandbox-secret' },
    },
    'a signed assertion': {
      ...{ flow: 'jwt', clientId: 'sandbox-client', username: 'integration@sandbox.example' },
      privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      audience: 'https://login.salesforce.com',
    },
  }

  it.each(Object.keys(grants))('is let in by %s, and again when its session ends', async (name) => {
    org = await startSalesforceSandbox({ app: { certificate } })
    const grant = grants[name]
    if (!grant) throw new Error('no grant')
    const crm = crmOf(createGrantedTokens({ ...endpoint(), grant }))
    await crm.check(signal)
    org.sandbox.access.expireAccessTokens()
    await crm.check(signal)
    expect(tokenCalls()).toHaveLength(2)
  })
})
