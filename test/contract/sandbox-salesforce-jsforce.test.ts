import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { Connection, OAuth2 } from 'jsforce'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

let org: RunningSalesforce
let connection: Connection

beforeEach(async () => {
  org = await startSalesforceSandbox({ bulk: { stepMs: 1 } })
  org.sandbox.defineField('Lead', { name: 'Key__c', externalId: true, unique: true })
  connection = new Connection({
    instanceUrl: org.baseUrl,
    accessToken: org.token,
    version: '67.0',
    callOptions: { client: 'ripen' },
  })
})

afterEach(async () => {
  await org.close()
})

const LEAD = { LastName: 'Lovelace', Company: 'Engines' }

/** jsforce was written against Salesforce itself; what it reads from here must be of that form. */
describe('jsforce, a client that knows nothing of the stand-in,', () => {
  it('creates, reads, changes, queries and deletes', async () => {
    const lead = connection.sobject('Lead')
    const { id = '', success } = await lead.create({ ...LEAD, Key__c: 'a' })
    expect(success).toBe(true)
    expect(await lead.retrieve(id)).toMatchObject({ LastName: 'Lovelace' })
    expect(await lead.update({ Id: id, LastName: 'Byron' })).toMatchObject({ id, success: true })
    const found = await connection.query("SELECT LastName FROM Lead WHERE Key__c = 'A'")
    expect(found).toMatchObject({ totalSize: 1, done: true, records: [{ LastName: 'Byron' }] })
    expect(await lead.upsert({ Key__c: 'a', Company: 'X' }, 'Key__c')).toMatchObject({
      id,
      created: false,
    })
    expect(await lead.destroy(id)).toMatchObject({ success: true })
    expect(connection.limitInfo).toMatchObject({ apiUsage: { limit: 1_000_000 } })
    const history = org.sandbox.record(id)?.history ?? []
    expect(history.every(({ client }) => client === 'ripen')).toBe(true)
  })

  it('works on many at once, and reads the errors of single rows', async () => {
    const results = await connection
      .sobject('Lead')
      .upsert([{ Key__c: 'a', ...LEAD }, { Key__c: 'b' }], 'Key__c')
    expect(results).toMatchObject([
      { success: true, created: true },
      { success: false, errors: [{ statusCode: 'REQUIRED_FIELD_MISSING' }] },
    ])
  })

  it('throws errors under their codes, and the choice of several', async () => {
    await expect(connection.sobject('Lead').create({ LastName: 'x' })).rejects.toMatchObject({
      errorCode: 'REQUIRED_FIELD_MISSING',
    })
    org.sandbox.defineField('Lead', { name: 'Loose__c', externalId: true })
    for (const _ of [1, 2]) org.sandbox.people.create('Lead', { ...LEAD, Loose__c: 'x' })
    await expect(
      connection.sobject('Lead').upsert({ Loose__c: 'x' }, 'Loose__c'),
    ).rejects.toMatchObject({ errorCode: 'MULTIPLE_CHOICES' })
    await expect(connection.query('SELECT Nope FROM Lead')).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
    })
  })

  it('describes, asks for changes and for limits', async () => {
    const from = new Date(Date.now() - 3_600_000)
    const id = org.sandbox.people.create('Lead', LEAD)
    const gone = org.sandbox.people.create('Lead', LEAD)
    org.sandbox.people.delete('Lead', gone)
    org.sandbox.clock.advance(2000)
    const { fields } = await connection.sobject('Lead').describe()
    expect(fields.find(({ name }) => name === 'Email')).toMatchObject({ type: 'email' })
    const { sobjects } = await connection.describeGlobal()
    expect(sobjects.map(({ name }) => name)).toContain('Opportunity')
    const until = new Date(org.sandbox.clock.now() + 1000)
    expect((await connection.sobject('Lead').updated(from, until)).ids).toEqual([id])
    const { deletedRecords } = await connection.sobject('Lead').deleted(from, until)
    expect(deletedRecords.map((record) => record.id)).toEqual([gone])
    expect((await connection.limits())['DailyApiRequests']?.Max).toBe(1_000_000)
  })

  it('pages through a query', async () => {
    for (let place = 0; place < 2500; place++) {
      org.sandbox.people.create('Lead', { ...LEAD, Key__c: `k${place}` })
    }
    const first = await connection.query('SELECT Id FROM Lead')
    expect([first.records.length, first.done]).toEqual([2000, false])
    const second = await connection.queryMore(first.nextRecordsUrl ?? '')
    expect([second.records.length, second.done]).toEqual([500, true])
  })

  it('runs jobs of the bulk API', async () => {
    const job = connection.bulk2.createJob({
      object: 'Lead',
      operation: 'upsert',
      externalIdFieldName: 'Key__c',
    })
    await job.open()
    await job.uploadData('Key__c,LastName,Company\na,A,X\nb,,X\n')
    await job.close()
    await job.poll(5, 5000)
    const { successfulResults, failedResults } = await job.getAllResults()
    expect(successfulResults).toMatchObject([{ Key__c: 'a', sf__Created: 'true' }])
    expect(failedResults).toMatchObject([
      {
        Key__c: 'b',
        sf__Error: 'REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --',
      },
    ])
    const stream = await connection.bulk2.query('SELECT LastName FROM Lead')
    expect(await stream.toArray()).toMatchObject([{ LastName: 'A' }])
  })

  it('signs in by code with a proof key, and renews its token by itself', async () => {
    const oauth2 = new OAuth2({
      loginUrl: org.baseUrl,
      clientId: 'sandbox-client',
      clientSecret: 'sandbox-secret',
      redirectUri: 'http://127.0.0.1:3000/callback',
      useVerifier: true,
    })
    const page = await fetch(oauth2.getAuthorizationUrl({ scope: 'api refresh_token' }), {
      method: 'POST',
      redirect: 'manual',
    })
    await page.arrayBuffer()
    const code = new URL(page.headers.get('location') ?? '').searchParams.get('code') ?? ''
    const signedIn = new Connection({ oauth2, version: '67.0' })
    const { id, organizationId } = await signedIn.authorize(code)
    expect(id).toBe(org.sandbox.users.integration)
    org.sandbox.access.expireAccessTokens()
    const before = signedIn.accessToken
    expect((await signedIn.identity()).organization_id).toBe(organizationId)
    expect(signedIn.accessToken).not.toBe(before)
  })

  it('runs into the day’s limit', async () => {
    org.sandbox.useCalls(1_000_000)
    await expect(connection.sobject('Lead').create(LEAD)).rejects.toMatchObject({
      errorCode: 'REQUEST_LIMIT_EXCEEDED',
    })
  })
})
