import { afterEach, describe, expect, it } from '@jest/globals'
import {
  createSalesforceCrm,
  type SalesforceCrmOptions,
} from '../../connectors/crms/salesforce/salesforce-crm.ts'
import type { BulkJob, BulkJobs } from '../../src/core/ports/bulk-jobs.ts'
import type { Crm, CrmWrite, LimitsSaid } from '../../src/core/ports/crm.ts'
import {
  type SalesforceStub,
  type StubAnswer,
  type StubCall,
  startSalesforceStub,
} from '../support/salesforce-stub.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'

const KEYS = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' } as const
const FIELD = { type: 'string', length: 255, createable: true, updateable: true, nillable: true }
const DESCRIBED = {
  ...{ createable: true, updateable: true, queryable: true, replicateable: true },
  fields: ['Id', 'PQL_Person_Id__c', 'Note__c', 'Extra__c', 'AccountId'].map((name) => ({
    ...FIELD,
    name,
  })),
}
const JOB = '/services/data/v67.0/jobs/ingest'
const NOT_ALLOWED = [{ errorCode: 'INVALIDJOBSTATE', message: 'not in this state' }]

let stubs: SalesforceStub[] = []
afterEach(async () => {
  const closing = stubs
  stubs = []
  await Promise.all(closing.map((stub) => stub.close()))
})

const idOf = (n: number) => `00Q${String(n).padStart(12, '0')}`

function updates(count: number): CrmWrite[] {
  return Array.from({ length: count }, (_, n) => {
    const properties = n % 2 === 0 ? { Note__c: `n${n}` } : { Note__c: null, Extra__c: 'x;y' }
    return { ref: `p-${n}`, key: `p-${n}`, crmId: idOf(n), properties }
  })
}

const settle = async (crm: Crm) => crm.settleJobs?.(noSignal())

interface Script {
  readonly successful?: string
  readonly failed?: string
  readonly unprocessed?: string
  readonly more?: (call: StubCall, count: number) => StubAnswer | undefined
  readonly states?: readonly string[]
}

function jobAnswer({
  successful = '',
  failed = '',
  unprocessed = '',
  states = ['JobComplete'],
}: Script) {
  let polls = 0
  return (call: StubCall): StubAnswer | undefined => {
    const { method, path } = call
    const csv = (text: string) => ({ text, headers: { 'content-type': 'text/csv' } })
    if (method === 'POST' && path === JOB) return { json: { id: '750000000000001', state: 'Open' } }
    if (method === 'PUT') return { status: 201, text: '' }
    if (method === 'PATCH' && path.startsWith(JOB))
      return { json: { id: '750000000000001', ...JSON.parse(call.body) } }
    if (path.includes('successfulResults')) return csv(successful)
    if (path.includes('failedResults')) return csv(failed)
    if (path.includes('unprocessedrecords')) return csv(unprocessed)
    if (method === 'GET' && path.startsWith(JOB)) {
      const state = states[Math.min(polls, states.length - 1)]
      polls += 1
      return { json: { id: '750000000000001', state } }
    }
    return undefined
  }
}

/** Saves whatever a call of records brings. */
function saveAll({ method, path, body }: StubCall): StubAnswer | undefined {
  if (method !== 'PATCH' || !path.endsWith('/composite/sobjects')) return undefined
  const { records } = JSON.parse(body)
  return { json: records.map(({ id }: { id: string }) => ({ id, success: true })) }
}

async function open(script: Script, options: Partial<SalesforceCrmOptions> = {}) {
  const scripted = jobAnswer(script)
  const stub = await startSalesforceStub((call, count) => {
    const told = script.more?.(call, count) ?? scripted(call)
    if (told !== undefined) return told
    const object = /sobjects\/(\w+)\/describe$/.exec(call.path)?.[1]
    return object ? { json: { ...DESCRIBED, name: object } } : undefined
  })
  stubs.push(stub)
  const noted: BulkJob[] = []
  const bulkJobs: BulkJobs = {
    begun: async (job) => void noted.push(job),
    over: async (id) =>
      void noted.splice(
        noted.findIndex((job) => job.id === id),
        1,
      ),
    open: async () => [...noted],
  }
  const said: LimitsSaid[] = []
  const crm = createSalesforceCrm({
    ...{ baseUrl: stub.baseUrl, accessToken: 'session', keyField: KEYS },
    pace: async () => ({ over: (one) => void said.push(one) }),
    ...{ bulkJobs, bulkPollMs: 1, rules: { bulkFrom: 4 } },
    ...options,
  })
  const made = (method: string, part = '') =>
    stub.calls.filter((call) => call.method === method && call.path.includes(part))
  return { crm, stub, noted, made, said }
}

const SUCCESS = '"sf__Id","sf__Created","PQL_Person_Id__c"\n'
const success = (...numbers: number[]) =>
  SUCCESS + numbers.map((n) => `"${idOf(n)}","false","p-${n}"\n`).join('')
const FAILED = '"sf__Id","sf__Error","PQL_Person_Id__c"\n'

describe('a write of many records', () => {
  it('is one job: opened, uploaded once, let go, asked about until it is over', async () => {
    const states = ['UploadComplete', 'InProgress', 'JobComplete']
    const { crm, made, noted } = await open({ successful: success(0, 1, 2, 3), states })
    const outcomes = await crm.write('contact', updates(4), noSignal())
    expect(outcomes).toEqual(
      [0, 1, 2, 3].map((n) => ({ kind: 'written', crmId: idOf(n), created: false })),
    )
    expect(JSON.parse(made('POST', JOB)[0]?.body ?? '')).toMatchObject({
      ...{ object: 'Lead', operation: 'update', contentType: 'CSV', columnDelimiter: 'COMMA' },
    })
    const uploads = made('PUT')
    expect(uploads).toHaveLength(1)
    expect(uploads[0]?.headers['content-type']).toBe('text/csv')
    expect(uploads[0]?.body.split('\n')).toEqual([
      'Id,Extra__c,Note__c,PQL_Person_Id__c',
      ...[0, 1, 2, 3].map((n) =>
        n % 2 === 0 ? `${idOf(n)},,n${n},p-${n}` : `${idOf(n)},x;y,#N/A,p-${n}`,
      ),
      '',
    ])
    expect(made('GET', `${JOB}/750000000000001`).length).toBeGreaterThanOrEqual(3)
    expect(made('DELETE')).toEqual([])
    expect(made('PATCH', 'composite')).toEqual([])
    expect(noted).toEqual([])
  })

  it('creates by our key, in a job of its own', async () => {
    const { crm, made } = await open({ successful: `${SUCCESS}"${idOf(9)}","true","p-0"\n` })
    const writes = updates(4).map((write) => ({ ...write, crmId: null }))
    const outcomes = await crm.write('contact', writes, noSignal())
    expect(outcomes[0]).toEqual({ kind: 'written', crmId: idOf(9), created: true })
    expect(JSON.parse(made('POST', JOB)[0]?.body ?? '')).toMatchObject({
      operation: 'upsert',
      externalIdFieldName: 'PQL_Person_Id__c',
    })
  })

  it('is answered row by row from all three lists; a row in none is in doubt', async () => {
    const refusal = 'FIELD_CUSTOM_VALIDATION_EXCEPTION:no such stage:Note__c --'
    const locked = 'UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--'
    const { crm, made } = await open({
      successful: success(0),
      failed: `${FAILED}"${idOf(1)}","${refusal}","p-1"\n"","${locked}","p-2"\n`,
      unprocessed: `"PQL_Person_Id__c","Note__c"\n"p-3","a;b"\n`,
      more: saveAll,
    })
    const outcomes = await crm.write('contact', updates(5), noSignal())
    expect(outcomes).toMatchObject([
      { kind: 'written' },
      { kind: 'rejected', code: 'FIELD_CUSTOM_VALIDATION_EXCEPTION' },
      { kind: 'written' },
      { kind: 'written' },
      { kind: 'unknown' },
    ])
    // Only the locked row and the one that was not processed are sent again.
    const again = made('PATCH', 'composite').flatMap(({ body }) => JSON.parse(body).records)
    expect(again.map(({ id }: { id: string }) => id)).toEqual([idOf(2), idOf(3)])
  })

  it('that cannot be uploaded is taken back, and nothing happened', async () => {
    const { crm, made, noted } = await open({
      more: ({ method }) => (method === 'PUT' ? { status: 503, json: [] } : undefined),
    })
    expect((await failureOf(crm.write('contact', updates(4), noSignal()))).kind).toBe('retryable')
    expect(made('PUT')).toHaveLength(1)
    expect(made('PATCH', JOB).map(({ body }) => JSON.parse(body).state)).toEqual(['Aborted'])
    expect(noted).toEqual([])
  })

  it('that is let go without an answer is looked up, and not let go twice', async () => {
    const { crm, made } = await open({
      successful: success(0, 1, 2, 3),
      more: ({ method, path }) =>
        method === 'PATCH' && path.startsWith(JOB) ? { breaks: 'before' } : undefined,
    })
    const outcomes = await crm.write('contact', updates(4), noSignal())
    expect(outcomes.every(({ kind }) => kind === 'written')).toBe(true)
    expect(made('PATCH', JOB)).toHaveLength(1)
  })

  it('stays noted when its process gives up, and the next one waits for it', async () => {
    let state = 'InProgress'
    const { crm, made, noted } = await open({
      more: ({ method, path }) =>
        method === 'GET' && path === `${JOB}/750000000000001`
          ? { json: { id: '750000000000001', state } }
          : undefined,
    })
    const controller = new AbortController()
    const writing = crm.write('contact', updates(4), controller.signal)
    const isWaiting = () => made('GET', `${JOB}/750`).length > 0
    const stop = setInterval(() => isWaiting() && controller.abort(), 1)
    const outcomes = await writing.finally(() => clearInterval(stop))
    expect(outcomes.every(({ kind }) => kind === 'unknown')).toBe(true)
    expect(noted).toEqual([{ id: '750000000000001', object: 'Lead', records: 4 }])
    expect(made('DELETE')).toEqual([])
    state = 'JobComplete'
    expect(await crm.settleJobs?.(noSignal())).toBe(1)
    expect(noted).toEqual([])
    expect(await crm.settleJobs?.(noSignal())).toBe(0)
  })

  it('that a process left open is taken back by the next one, and not waited for', async () => {
    let state = 'Open'
    const { crm, made, noted } = await open({
      more: ({ method, path, body }) => {
        if (!path.startsWith(`${JOB}/750`)) return undefined
        if (method === 'PATCH') state = JSON.parse(body).state
        return { json: { id: '750000000000001', state } }
      },
    })
    noted.push({ id: '750000000000001', object: 'Lead', records: 4 })
    expect(await crm.settleJobs?.(noSignal())).toBe(1)
    expect(state).toBe('Aborted')
    expect(noted).toEqual([])
    expect(made('GET', JOB)).toHaveLength(1)
  })

  it('that is open and cannot be taken back stays noted, and nobody writes beside it', async () => {
    const { crm, noted } = await open({
      more: ({ method, path }) => {
        if (!path.startsWith(`${JOB}/750`)) return undefined
        if (method === 'PATCH') return { status: 503, json: [] }
        return { json: { id: '750000000000001', state: 'Open' } }
      },
    })
    noted.push({ id: '750000000000001', object: 'Lead', records: 4 })
    expect(await failureOf(settle(crm))).toMatchObject({ kind: 'retryable' })
    expect(noted).toHaveLength(1)
  })

  it.each([
    { name: 'refused', answer: { status: 400, json: NOT_ALLOWED }, kind: 'config' },
    { name: 'lost on the way', answer: { breaks: 'before' }, kind: 'retryable' },
  ] as const)('whose last word is $name is taken back, and says why', async ({ answer, kind }) => {
    let state = 'Open'
    const { crm, made, noted } = await open({
      more: ({ method, path, body }) => {
        if (!path.startsWith(`${JOB}/750`) || method === 'PUT') return undefined
        const wanted = method === 'PATCH' ? JSON.parse(body).state : null
        if (wanted === 'UploadComplete') return answer
        if (wanted !== null) state = wanted
        return { json: { id: '750000000000001', state } }
      },
    })
    const failure = await failureOf(crm.write('contact', updates(4), noSignal()))
    expect(failure).toMatchObject({ kind, message: expect.stringMatching(/jobs\/ingest/) })
    expect(made('PATCH', JOB).map(({ body }) => JSON.parse(body).state)).toEqual([
      'UploadComplete',
      'Aborted',
    ])
    expect(noted).toEqual([])
  })

  it('that can neither be let go nor taken back stays noted', async () => {
    const { crm, noted } = await open({
      more: ({ method, path }) => {
        if (!path.startsWith(`${JOB}/750`) || method === 'PUT') return undefined
        if (method === 'PATCH') return { status: 503, json: [] }
        return { json: { id: '750000000000001', state: 'Open' } }
      },
    })
    expect(await failureOf(crm.write('contact', updates(4), noSignal()))).toMatchObject({
      kind: 'retryable',
    })
    expect(noted).toHaveLength(1)
  })

  it('that finds the org full pauses it, and keeps what was written', async () => {
    const full = 'STORAGE_LIMIT_EXCEEDED:storage limit exceeded:--'
    const { crm, made, said, noted } = await open({
      successful: success(0, 1),
      failed: `${FAILED}"","${full}","p-2"\n"","${full}","p-3"\n`,
    })
    const outcomes = await crm.write('contact', updates(4), noSignal())
    const pause = expect.objectContaining({ kind: 'rate-limited', retryAfterMs: 900_000 })
    expect(outcomes).toEqual([
      expect.objectContaining({ kind: 'written' }),
      expect.objectContaining({ kind: 'written' }),
      { kind: 'busy', pause },
      { kind: 'busy', pause },
    ])
    expect(said.filter(({ refused }) => refused)).toMatchObject([
      { refused: { of: 'account', pauseMs: 900_000 } },
    ])
    expect(made('PATCH', 'composite')).toEqual([])
    expect(noted).toEqual([])
  })

  it.each([
    { name: 'goes by calls where others have used the batches', left: 7_500, jobs: 0 },
    { name: 'is a job while there are some in the share', left: 7_501, jobs: 1 },
  ])('$name', async ({ left, jobs }) => {
    const DailyBulkApiBatches = { Max: 15_000, Remaining: left }
    const script = {
      successful: success(0, 1, 2, 3),
      more: (call: StubCall) =>
        call.path.endsWith('/limits') ? { json: { DailyBulkApiBatches } } : saveAll(call),
    }
    const { crm, made } = await open(script, { bulkShare: 0.5 })
    const outcomes = await crm.write('contact', updates(4), noSignal())
    expect(outcomes.every(({ kind }) => kind === 'written')).toBe(true)
    expect(made('POST', JOB)).toHaveLength(jobs)
    expect(made('PATCH', 'composite')).toHaveLength(1 - jobs)
  })

  it('is asked about when it should be over, as long as the last one took', async () => {
    const times = { createdDate: '2026-01-01T00:00:00.000+0000' }
    const script = {
      successful: success(0, 1, 2, 3),
      more: ({ method, path }: StubCall) =>
        method === 'GET' && path === `${JOB}/750000000000001`
          ? {
              json: {
                ...{ id: '750000000000001', state: 'JobComplete', ...times },
                systemModstamp: '2026-01-01T00:00:00.000+0000',
              },
            }
          : undefined,
    }
    const { crm, made } = await open(script, { bulkPollMs: 1 })
    const tookMs = async () => {
      const startedAt = performance.now()
      await crm.write('contact', updates(4), noSignal())
      return performance.now() - startedAt
    }
    await tookMs()
    // Salesforce told no more than that it took less than a second.
    expect(await tookMs()).toBeGreaterThanOrEqual(1_000)
    expect(made('GET', `${JOB}/750`).filter(({ path }) => path.endsWith('001'))).toHaveLength(2)
  })

  it('asks for the room of the day once while there is plenty of it', async () => {
    const DailyBulkApiBatches = { Max: 15_000, Remaining: 15_000 }
    const { crm, made } = await open({
      successful: success(0, 1, 2, 3),
      more: ({ path }) =>
        path.endsWith('/limits') ? { json: { DailyBulkApiBatches } } : undefined,
    })
    for (let n = 0; n < 3; n++) await crm.write('contact', updates(4), noSignal())
    expect(made('POST', JOB)).toHaveLength(3)
    expect(made('GET', '/limits')).toHaveLength(1)
  })

  it('sends many rows that were held as another job, and those without an outcome by calls', async () => {
    const locked = 'UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--'
    let jobs = 0
    const { crm, made } = await open({
      more: (call) => {
        const { method, path } = call
        const csv = (text: string) => ({ text, headers: { 'content-type': 'text/csv' } })
        if (method === 'POST' && path === JOB) jobs += 1
        if (path.includes('successfulResults')) return csv(jobs === 2 ? success(0, 1, 2, 3) : '')
        if (path.includes('failedResults') && jobs === 1) {
          return csv(FAILED + [0, 1, 2, 3].map((n) => `"","${locked}","p-${n}"\n`).join(''))
        }
        if (path.includes('unprocessedrecords') && jobs === 1) {
          const rows = [4, 5, 6, 7].map((n) => `"p-${n}"\n`).join('')
          return csv(`"PQL_Person_Id__c"\n${rows}`)
        }
        return saveAll(call)
      },
    })
    const outcomes = await crm.write('contact', updates(8), noSignal())
    expect(outcomes.every(({ kind }) => kind === 'written')).toBe(true)
    expect(made('POST', JOB)).toHaveLength(2)
    expect(made('PUT')[1]?.body.split('\n')).toHaveLength(4 + 2)
    const again = made('PATCH', 'composite').flatMap(({ body }) => JSON.parse(body).records)
    expect(again.map(({ id }: { id: string }) => id)).toEqual([4, 5, 6, 7].map(idOf))
  })

  it('below the threshold goes by calls of 200', async () => {
    const { crm, made } = await open({
      more: saveAll,
    })
    await crm.write('contact', updates(3), noSignal())
    expect(made('POST', JOB)).toEqual([])
  })
})
