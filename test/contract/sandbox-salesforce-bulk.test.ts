import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

type Row = Record<string, unknown>
let org: RunningSalesforce

async function start(options: Parameters<typeof startSalesforceSandbox>[0] = {}) {
  org = await startSalesforceSandbox({ bulk: { stepMs: 1 }, ...options })
  org.sandbox.defineField('Lead', { name: 'Key__c', externalId: true, unique: true })
  org.sandbox.defineField('Lead', { name: 'Score__c', type: 'double', precision: 3 })
}

beforeEach(() => start())
afterEach(async () => {
  await org.close()
})

const INGEST = '/jobs/ingest'
const UPSERT = { object: 'Lead', operation: 'upsert', externalIdFieldName: 'Key__c' }

async function open(job: Row = UPSERT): Promise<string> {
  const { json } = await org.call('POST', INGEST, job)
  return String((json as Row)['id'])
}
const put = (id: string, csv: string) =>
  org.call('PUT', `${INGEST}/${id}/batches`, csv, { 'content-type': 'text/csv' })
const close = (id: string, state = 'UploadComplete') =>
  org.call('PATCH', `${INGEST}/${id}`, { state })
const info = async (id: string, path = INGEST) =>
  (await org.call('GET', `${path}/${id}`)).json as Row

async function ended(id: string, path = INGEST): Promise<Row> {
  const deadline = Date.now() + 5000
  for (;;) {
    const job = await info(id, path)
    if (['JobComplete', 'Failed', 'Aborted'].includes(String(job['state']))) return job
    if (Date.now() > deadline) throw new Error(`the job stays ${String(job['state'])}`)
  }
}

async function run(csv: string, job: Row = UPSERT): Promise<string> {
  const id = await open(job)
  await put(id, csv)
  await close(id)
  await ended(id)
  return id
}
const file = async (id: string, name: string) =>
  (await org.call('GET', `${INGEST}/${id}/${name}`)).text

describe('an ingest job', () => {
  it('goes from Open over UploadComplete and InProgress to JobComplete', async () => {
    const created = await org.call('POST', INGEST, UPSERT)
    const id = String((created.json as Row)['id'])
    expect(created.json).toMatchObject({
      id: expect.stringMatching(/^750/),
      operation: 'upsert',
      object: 'Lead',
      externalIdFieldName: 'Key__c',
      state: 'Open',
      concurrencyMode: 'Parallel',
      contentType: 'CSV',
      apiVersion: 67,
      contentUrl: `services/data/v67.0/jobs/ingest/${id}/batches`,
      lineEnding: 'LF',
      columnDelimiter: 'COMMA',
    })
    const uploaded = await put(id, 'Key__c,LastName,Company\na,A,X\n')
    expect([uploaded.status, uploaded.text]).toEqual([201, ''])
    org.sandbox.bulk.hold()
    expect((await close(id)).json).toMatchObject({ id, state: 'UploadComplete' })
    expect(await info(id)).toMatchObject({ state: 'UploadComplete', numberRecordsProcessed: 0 })
    org.sandbox.bulk.letGo()
    expect(await ended(id)).toMatchObject({
      state: 'JobComplete',
      jobType: 'V2Ingest',
      numberRecordsProcessed: 1,
      numberRecordsFailed: 0,
      retries: 0,
    })
  })

  it('answers every row in successfulResults or failedResults', async () => {
    await run('Key__c,LastName,Company\na,A,"X, ""Y"""\n')
    const id = await run('Key__c,LastName,Company,Email\na,AA,,\nb,B,"X, Y",\nc,,X,\nd,D,X,no\n')
    const [a, b] = org.sandbox.records('Lead').map((row) => row.id)
    expect(await info(id)).toMatchObject({ numberRecordsProcessed: 4, numberRecordsFailed: 2 })
    expect((await file(id, 'successfulResults')).split('\n')).toEqual([
      '"sf__Id","sf__Created","Key__c","LastName","Company","Email"',
      `"${b}","true","b","B","X, Y",""`,
      `"${a}","false","a","AA","",""`,
      '',
    ])
    expect((await file(id, 'failedResults')).split('\n').slice(1)).toEqual([
      '"","INVALID_EMAIL_ADDRESS:Email: invalid email address: no:Email --","d","D","X","no"',
      '"","REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --","c","","X",""',
      '',
    ])
    expect(await file(id, 'unprocessedrecords')).toBe('Key__c,LastName,Company,Email\n')
    expect(org.sandbox.records('Lead')[0]?.values).toMatchObject({
      LastName: 'AA',
      Company: 'X, "Y"',
    })
  })

  it('ignores an empty cell and empties a field by #N/A', async () => {
    await run('Key__c,LastName,Company,Phone,Score__c\na,A,X,1,50\n')
    await run('Key__c,Phone,Score__c\na,,#N/A\n')
    expect(org.sandbox.records('Lead')[0]?.values).toMatchObject({ Phone: '1', Score__c: null })
  })

  it('fails both rows that have one key, and a row of the wrong type alone', async () => {
    const id = await run(
      'Key__c,LastName,Company,Score__c\na,A,X,1\nA,B,X,1\nb,C,X,many\nc,D,X,1\n,E,X,1\n',
    )
    const failed = await file(id, 'failedResults')
    expect(failed.match(/DUPLICATE_VALUE:Duplicate external id specified/g)).toHaveLength(2)
    expect(failed).toContain(
      "INVALID_TYPE_ON_FIELD_IN_RECORD:'many' is not a valid value for the type xsd:double:Score__c --",
    )
    expect(failed).toContain('MISSING_ARGUMENT:Key__c not specified:--')
    expect(await info(id)).toMatchObject({ numberRecordsFailed: 4, numberRecordsProcessed: 5 })
  })

  it('inserts, updates and deletes', async () => {
    await run('LastName,Company\nA,X\nB,X\n', { object: 'Lead', operation: 'insert' })
    const [a = '', b = ''] = org.sandbox.records('Lead').map((row) => row.id)
    const update = await run(`Id,LastName\n${a},AA\n${b.slice(0, 14)}9,x\n`, {
      object: 'Lead',
      operation: 'update',
    })
    expect(await file(update, 'failedResults')).toContain('INVALID_CROSS_REFERENCE_KEY')
    await run(`Id\n${b}\n`, { object: 'Lead', operation: 'delete' })
    expect(org.sandbox.record(a)?.values['LastName']).toBe('AA')
    expect(org.sandbox.record(b)?.deleted).toBe(true)
  })

  it('fails locked rows, which is no failure of the job', async () => {
    await run('Key__c,LastName,Company\na,A,X\n')
    const [row] = org.sandbox.records('Lead')
    org.sandbox.rules.locks.add({ id: row?.id ?? '' })
    const id = await run('Key__c,Score__c\na,1\n')
    expect(await info(id)).toMatchObject({ state: 'JobComplete', numberRecordsFailed: 1 })
    expect(await file(id, 'failedResults')).toContain(
      'UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--',
    )
  })

  it('that fails on the way keeps what it saved and gives back the rest as it came', async () => {
    org.sandbox.bulk.failNext(2, 'InternalServerError : try again')
    const rows = ['a,A,X', 'b,B,X', 'c,"C, D",X', 'd,x;y,X']
    const id = await run(`Key__c,LastName,Company\n${rows.join('\n')}\n`)
    expect(await info(id)).toMatchObject({
      state: 'Failed',
      errorMessage: 'InternalServerError : try again',
      numberRecordsProcessed: 2,
    })
    expect(org.sandbox.records('Lead')).toHaveLength(2)
    expect(await file(id, 'unprocessedrecords')).toBe(
      `Key__c,LastName,Company\n${rows.slice(2).join('\n')}\n`,
    )
  })

  it('fails for a column that is not there, and for line ends of another kind', async () => {
    const wrong = await run('Key__c,Nope__c\na,1\n')
    expect(await info(wrong)).toMatchObject({
      state: 'Failed',
      errorMessage: 'InvalidBatch : Field name not found : Nope__c',
    })
    const ends = await run('Key__c,LastName\r\na,A\r\n')
    expect((await info(ends))['errorMessage']).toContain('LineEnding is invalid')
    await run('Key__c|LastName|Company\r\na|A|X\r\n', {
      ...UPSERT,
      columnDelimiter: 'PIPE',
      lineEnding: 'CRLF',
    })
    expect(org.sandbox.records('Lead')).toHaveLength(1)
  })

  it('takes one upload, and takes an empty one for a whole', async () => {
    const id = await open()
    expect((await put(id, '')).status).toBe(201)
    expect((await put(id, 'Key__c\na\n')).status).toBe(400)
    await close(id)
    expect(await ended(id)).toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 0 })
  })

  it('can be aborted while it waits, and deleted, but not while it is open', async () => {
    const id = await open()
    expect((await org.call('DELETE', `${INGEST}/${id}`)).status).toBe(400)
    org.sandbox.bulk.hold()
    await put(id, 'Key__c,LastName,Company\na,A,X\n')
    await close(id)
    expect((await close(id)).json).toMatchObject([{ errorCode: 'INVALIDJOBSTATE' }])
    expect((await org.call('DELETE', `${INGEST}/${id}`)).status).toBe(204)
    expect((await org.call('GET', `${INGEST}/${id}`)).status).toBe(404)
    org.sandbox.bulk.letGo()
    const other = await open()
    expect((await close(other, 'Aborted')).json).toMatchObject({ state: 'Aborted' })
    expect(org.sandbox.records('Lead')).toEqual([])
  })

  it.each([
    { job: { object: 'Lead', operation: 'upsert' }, code: 'INVALIDJOB' },
    { job: { ...UPSERT, externalIdFieldName: 'LastName' }, code: 'INVALIDJOB' },
    { job: { object: 'Nope', operation: 'insert' }, code: 'INVALIDENTITY' },
    { job: { object: 'Lead', operation: 'merge' }, code: 'INVALIDJOB' },
  ])('is refused with $code', async ({ job, code }) => {
    const { status, json } = await org.call('POST', INGEST, job)
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, code])
  })

  it('does not run assignment rules, nor look at the header about duplicates', async () => {
    org.sandbox.rules.assignment.set('Lead', org.sandbox.users.rep)
    const id = await run('Key__c,LastName,Company,Email\na,A,X,a@x.example\n')
    expect(org.sandbox.records('Lead')[0]?.values['OwnerId']).toBe(org.sandbox.users.integration)
    expect(await info(id)).toMatchObject({ numberRecordsFailed: 0 })
    org.sandbox.rules.duplicates.set({
      name: 'Same',
      object: 'Lead',
      fields: ['Email'],
      action: 'alert',
    })
    const again = await run('Key__c,LastName,Company,Email\nb,B,X,a@x.example\n')
    expect(await file(again, 'failedResults')).toContain('DUPLICATES_DETECTED:Use one of these')
  })

  it('counts batches of 10,000, and does nothing beyond the day’s', async () => {
    await org.close()
    await start({ limits: { dailyBulkBatches: 1 } })
    await run('Key__c,LastName,Company\na,A,X\n')
    const { json } = await org.call('GET', '/limits')
    expect(json).toMatchObject({ DailyBulkApiBatches: { Max: 1, Remaining: 0 } })
    const id = await run('Key__c,LastName,Company\nb,B,X\n')
    expect(await info(id)).toMatchObject({ state: 'JobComplete', numberRecordsProcessed: 0 })
    for (const list of ['successfulResults', 'failedResults', 'unprocessedrecords'] as const) {
      expect(await file(id, list)).not.toContain('b')
    }
    expect(org.sandbox.count('Lead')).toBe(1)
  })
})

describe('a query job', () => {
  it('hands out pages until the locator says null', async () => {
    for (const LastName of ['A', 'B', 'C']) {
      org.sandbox.people.create('Lead', { LastName, Company: 'X' })
    }
    org.sandbox.bulk.hold()
    const query = 'SELECT LastName, Owner.Name FROM Lead ORDER BY LastName'
    const { json } = await org.call('POST', '/jobs/query', { operation: 'query', query })
    const id = String((json as Row)['id'])
    expect(json).toMatchObject({ state: 'UploadComplete', object: 'Lead', operation: 'query' })
    const early = await org.call('DELETE', `/jobs/query/${id}`)
    expect([early.status, early.json]).toEqual([
      400,
      [
        {
          errorCode: 'API_ERROR',
          message: 'Error encountered when deleting the job because the job is not terminated',
        },
      ],
    ])
    org.sandbox.bulk.letGo()
    expect(await ended(id, '/jobs/query')).toMatchObject({ numberRecordsProcessed: 3 })
    const first = await org.call('GET', `/jobs/query/${id}/results?maxRecords=2`)
    expect(first.text).toBe('"LastName","Owner.Name"\n"A","Rhea Rep"\n"B","Rhea Rep"\n')
    expect(first.headers.get('sforce-numberofrecords')).toBe('2')
    const locator = first.headers.get('sforce-locator')
    const last = await org.call('GET', `/jobs/query/${id}/results?maxRecords=2&locator=${locator}`)
    expect([last.text, last.headers.get('sforce-locator')]).toEqual([
      '"LastName","Owner.Name"\n"C","Rhea Rep"\n',
      'null',
    ])
    const pages = await org.call('GET', `/jobs/query/${id}/resultPages?maxRecords=2`)
    expect((pages.json as { resultPages: Row[] }).resultPages).toHaveLength(2)
    expect((await org.call('DELETE', `/jobs/query/${id}`)).status).toBe(204)
  })

  it('is refused at once when the query is wrong', async () => {
    const { status, json } = await org.call('POST', '/jobs/query', {
      operation: 'query',
      query: 'SELECT Nope FROM Lead',
    })
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, 'INVALID_FIELD'])
  })
})
