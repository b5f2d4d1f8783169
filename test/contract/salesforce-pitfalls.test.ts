import { afterEach, describe, expect, it } from '@jest/globals'
import {
  createSalesforceCrm,
  type SalesforceCrmOptions,
} from '../../connectors/crms/salesforce/salesforce-crm.ts'
import type { AccessTokens } from '../../src/core/ports/access-tokens.ts'
import type { CrmCall, CrmWrite, LimitsSaid } from '../../src/core/ports/crm.ts'
import {
  askedQuery,
  page,
  type SalesforceStub,
  type StubAnswer,
  type StubCall,
  startSalesforceStub,
} from '../support/salesforce-stub.ts'
import { failureOf } from './crm-contract-failures.ts'
import { noSignal } from './crm-contract-subject.ts'

const KEYS = { contact: 'PQL_Person_Id__c', company: 'PQA_Account_Id__c' } as const
const ORG = page([{ Id: '00D000000000001AAA' }])
const FIELD = { type: 'string', length: 255, createable: true, updateable: true, nillable: true }
const DESCRIBED = {
  ...{ createable: true, updateable: true, queryable: true, replicateable: true },
  fields: ['Id', 'Email', 'PQL_Person_Id__c', 'Note__c', 'Extra__c'].map((name) => ({
    ...FIELD,
    name,
  })),
}

let stubs: SalesforceStub[] = []

afterEach(async () => {
  const closing = stubs
  stubs = []
  await Promise.all(closing.map((stub) => stub.close()))
})

async function open(
  answer: (call: StubCall, count: number) => StubAnswer | undefined,
  options: Partial<SalesforceCrmOptions> = {},
) {
  const stub = await startSalesforceStub((call, count) => {
    const told = answer(call, count)
    if (told !== undefined) return told
    const object = /sobjects\/(\w+)\/describe$/.exec(call.path)?.[1]
    return object ? { json: { ...DESCRIBED, name: object } } : undefined
  })
  stubs.push(stub)
  const crm = createSalesforceCrm({
    ...{ baseUrl: stub.baseUrl, accessToken: 'session', keyField: KEYS, pace: async () => {} },
    ...options,
  })
  const made = (part: string) => stub.calls.filter(({ path }) => path.includes(part))
  return { stub, crm, made }
}

const isQuery = ({ path }: StubCall) => path.includes('/query?')
const isWrite = ({ path }: StubCall) => path.includes('/composite/sobjects')
const unavailable = { status: 503, json: [{ errorCode: 'SERVER_UNAVAILABLE', message: 'x' }] }
const expired = {
  status: 401,
  json: [{ errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' }],
}

function update(key: string, more: CrmWrite['properties'] = {}): CrmWrite {
  const crmId = `00Q${key.padStart(12, '0')}`
  return { ref: key, key, crmId, properties: { Note__c: 'x', ...more } }
}

describe('every call', () => {
  it('names its client, and every write leaves owners alone', async () => {
    const { crm, stub, made } = await open((call) => {
      if (isQuery(call)) return ORG
      if (isWrite(call)) return { json: [{ id: '00Q000000000001', success: true, errors: [] }] }
      return undefined
    })
    await crm.check(noSignal())
    await crm.write('contact', [update('1')], noSignal())
    for (const { headers } of stub.calls.slice(1)) {
      expect(headers['sforce-call-options']).toBe('client=ripen')
      expect(headers.authorization).toBe('Bearer session')
    }
    expect(made('/composite/sobjects')[0]?.headers['sforce-auto-assign']).toBe('FALSE')
    expect(stub.calls[0]?.headers.authorization).toBeUndefined()
  })

  it.each([
    { name: 'the one that is wanted', offered: ['66.0', '67.0', '68.0'], want: 'v67.0' },
    { name: 'the newest where that is not offered', offered: ['59.0', '66.0'], want: 'v66.0' },
  ])('goes by a version of the API: $name', async ({ offered, want }) => {
    const { crm, made } = await open((call) => {
      if (call.path === '/services/data/') return { json: offered.map((version) => ({ version })) }
      return isQuery(call) ? ORG : undefined
    })
    await crm.check(noSignal())
    await crm.check(noSignal())
    expect(made('/query?').map(({ path }) => path.split('/')[3])).toEqual([want, want])
    expect(made('/services/data/').filter(({ path }) => path === '/services/data/')).toHaveLength(1)
  })

  it.each(['GET', 'PATCH'])('is made once, whatever comes back: %s', async (method) => {
    const { crm, made } = await open((call) =>
      isQuery(call) || isWrite(call) ? unavailable : undefined,
    )
    if (method === 'GET') {
      expect((await failureOf(crm.check(noSignal()))).kind).toBe('retryable')
      expect(made('/query?')).toHaveLength(1)
    } else {
      expect(await crm.write('contact', [update('1')], noSignal())).toEqual([{ kind: 'unknown' }])
      expect(made('/composite/sobjects')).toHaveLength(1)
    }
  })

  it.each(['before', 'within'] as const)(
    'ends at its deadline, when the answer hangs %s',
    async (hangs) => {
      const { crm, stub } = await open((call) => (isQuery(call) ? { hangs } : undefined), {
        timeoutMs: 100,
      })
      const failure = await failureOf(crm.check(noSignal()))
      expect(failure.message).toContain('DeadlineExceeded')
      await stub.disconnected
    },
  )

  it.each(['before', 'within'] as const)(
    'that breaks %s its answer is a failure, and no crash',
    async (breaks) => {
      const { crm } = await open((call) => (isQuery(call) ? { breaks } : undefined))
      expect((await failureOf(crm.check(noSignal()))).kind).toBe('retryable')
    },
  )

  it('goes nowhere else, whatever a redirect says', async () => {
    const { crm, made } = await open((call) =>
      isQuery(call) ? { status: 302, headers: { location: '/elsewhere' } } : undefined,
    )
    expect((await failureOf(crm.check(noSignal()))).kind).toBe('config')
    expect(made('/elsewhere')).toEqual([])
  })

  it('tells what is left of the quota, also when it is refused', async () => {
    const said: LimitsSaid[] = []
    const calls: CrmCall[] = []
    const { crm } = await open(
      (call) => {
        if (!isQuery(call)) return undefined
        const headers = { 'sforce-limit-info': 'api-usage=101/100; api-bursts=1/75' }
        const json = [
          { errorCode: 'REQUEST_LIMIT_EXCEEDED', message: 'TotalRequests Limit exceeded.' },
        ]
        return { status: 403, headers, json }
      },
      {
        pace: async () => ({ over: (one: LimitsSaid) => void said.push(one) }),
        onCall: (call) => void calls.push(call),
      },
    )
    const failure = await failureOf(crm.check(noSignal()))
    expect(failure.kind).toBe('rate-limited')
    expect(said.at(-1)).toMatchObject({ day: { calls: 100, left: 0 }, refused: { of: 'account' } })
    expect(calls.map(({ endpoint, status }) => [endpoint, status])).toEqual([
      ['GET versions', 200],
      ['GET query', 403],
    ])
  })
})

describe('a session that is refused', () => {
  function tokensOf(...given: string[]): AccessTokens & { readonly renewed: string[] } {
    const renewed: string[] = []
    return {
      ...{ name: 'a test', renewed, scopes: async () => null },
      get: async () => given[renewed.length] ?? 'none left',
      renew: async (refused) => {
        renewed.push(refused)
        return given[renewed.length] ?? null
      },
    }
  }

  it('is renewed, and the call is made once more', async () => {
    const accessToken = tokensOf('old', 'new')
    const { crm } = await open(
      (call) => {
        if (!isQuery(call)) return undefined
        return call.headers.authorization === 'Bearer new' ? ORG : expired
      },
      { accessToken },
    )
    await expect(crm.check(noSignal())).resolves.toBeUndefined()
    expect(accessToken.renewed).toEqual(['old'])
  })

  it('is renewed once for a call, and no more when that does not help', async () => {
    const accessToken = tokensOf('a', 'b', 'c', 'd')
    const { crm, made } = await open((call) => (isQuery(call) ? expired : undefined), {
      accessToken,
    })
    expect((await failureOf(crm.check(noSignal()))).kind).toBe('config')
    expect(made('/query?')).toHaveLength(2)
    expect(accessToken.renewed).toEqual(['a'])
  })

  it('is not renewed when a policy of the org refuses it', async () => {
    const accessToken = tokensOf('a', 'b')
    const message = 'This session is not valid for use with the REST API'
    const json = [{ errorCode: 'INVALID_SESSION_ID', message }]
    const { crm } = await open((call) => (isQuery(call) ? { status: 401, json } : undefined), {
      accessToken,
    })
    expect((await failureOf(crm.check(noSignal()))).message).toContain('IP ranges')
    expect(accessToken.renewed).toEqual([])
  })
})

describe('a query that fails beside others in one call', () => {
  const lookups = [{ ref: 'p', key: 'p', emails: ['a@acme.example'], domains: [] }]
  const failing = (httpStatusCode: number, errorCode: string) => (call: StubCall) => {
    if (!call.path.endsWith('/composite')) return undefined
    const body = [{ errorCode, message: 'words of Salesforce' }]
    const { compositeRequest } = JSON.parse(call.body)
    const compositeResponse = compositeRequest.map(({ referenceId }: { referenceId: string }) => ({
      ...{ referenceId, httpStatusCode, body },
    }))
    return { json: { compositeResponse } }
  }

  it.each([
    { status: 503, code: 'SERVER_UNAVAILABLE', kind: 'retryable' },
    { status: 400, code: 'QUERY_TIMEOUT', kind: 'retryable' },
    { status: 403, code: 'REQUEST_LIMIT_EXCEEDED', kind: 'rate-limited' },
    { status: 400, code: 'INVALID_FIELD', kind: 'config' },
  ])('with $code is $kind, as it is alone', async ({ status, code, kind }) => {
    const said: LimitsSaid[] = []
    const pace = async () => ({ over: (one: LimitsSaid) => void said.push(one) })
    const { crm } = await open(failing(status, code), { pace })
    const failure = await failureOf(crm.find('contact', lookups, noSignal()))
    expect(failure).toMatchObject({ kind, message: expect.stringContaining(code) })
    expect(failure.message).not.toContain('words of Salesforce')
    expect(said.some(({ refused }) => refused !== undefined)).toBe(kind === 'rate-limited')
  })
})

describe('a query of several pages', () => {
  const contact = (n: number) => ({ Id: `00300000000000${n}AAA`, Email: `${n}@acme.example` })
  const lookups = [{ ref: 'p', key: 'p', emails: ['3@acme.example'], domains: [] }]

  /** Answers queries for contacts with pages, and those for leads with nothing. */
  const paged = (total: number) => (call: StubCall) => {
    const first = {
      totalSize: total,
      ...{
        done: false,
        nextRecordsUrl: '/services/data/v67.0/query/01gX-1',
        records: [contact(1)],
      },
    }
    const none = { totalSize: 0, done: true, records: [] }
    if (call.path.endsWith('/composite')) {
      const { compositeRequest } = JSON.parse(call.body)
      const compositeResponse = compositeRequest.map(
        (one: { url: string; referenceId: string }) => ({
          referenceId: one.referenceId,
          httpStatusCode: 200,
          body: decodeURIComponent(one.url).includes('FROM Contact') ? first : none,
        }),
      )
      return { json: { compositeResponse } }
    }
    if (call.path.endsWith('/query/01gX-1')) {
      const nextRecordsUrl = '/services/data/v67.0/query/01gX-2'
      return page([contact(2)], { totalSize: total, done: false, nextRecordsUrl })
    }
    if (call.path.endsWith('/query/01gX-2')) return page([contact(3)], { totalSize: total })
    return undefined
  }

  it('is read to its last page', async () => {
    const { crm } = await open(paged(3))
    const [found] = await crm.find('contact', lookups, noSignal())
    expect(found?.map(({ crmId }) => crmId)).toEqual([contact(3).Id])
  })

  it('is a failed read when rows are missing, and never a shorter list', async () => {
    const { crm } = await open(paged(4))
    expect((await failureOf(crm.find('contact', lookups, noSignal()))).kind).toBe('retryable')
  })
})

describe('writing', () => {
  it('sends a value as it is, whatever characters it has, and the key in the body', async () => {
    const { crm, made } = await open((call) =>
      isWrite(call)
        ? { json: [{ id: '00Q000000000001', success: true, created: true }] }
        : undefined,
    )
    const key = 'p/1?x=#2'
    const properties = { Note__c: '-- "x" \\ \n;' }
    await crm.write('contact', [{ ref: key, key, crmId: null, properties }], noSignal())
    const [call] = made('/composite/sobjects')
    expect(call?.path).toBe('/services/data/v67.0/composite/sobjects/Lead/PQL_Person_Id__c')
    expect(JSON.parse(call?.body ?? '').records).toEqual([
      { attributes: { type: 'Lead' }, PQL_Person_Id__c: key, ...properties },
    ])
  })

  it('cuts to calls of 200 and keeps what earlier ones wrote when a later one fails', async () => {
    let calls = 0
    const { crm, made } = await open((call) => {
      if (!isWrite(call)) return undefined
      calls += 1
      if (calls === 2) return unavailable
      const { records } = JSON.parse(call.body)
      return { json: records.map((record: { id: string }) => ({ id: record.id, success: true })) }
    })
    const writes = Array.from({ length: 401 }, (_, i) => update(String(1000 + i).slice(1)))
    const outcomes = await crm.write('contact', writes, noSignal())
    const sizes = made('/composite/sobjects').map(({ body }) => JSON.parse(body).records.length)
    expect(sizes).toEqual([200, 200, 1])
    const kinds = outcomes.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'written')).toHaveLength(201)
    expect(kinds.filter((kind) => kind === 'unknown')).toHaveLength(200)
  })

  it('reads the code of a row by either of its names', async () => {
    const refusal = (more: object) => ({
      success: false,
      errors: [{ message: 'm', fields: [], ...more }],
    })
    const { crm } = await open((call) => {
      if (!isWrite(call)) return undefined
      const rows = [
        refusal({ statusCode: 'A_CODE' }),
        refusal({ errorCode: 'B_CODE' }),
        { success: false, errors: [] },
      ]
      return { json: rows }
    })
    const writes = ['001', '002', '003'].map((key) => update(key))
    expect(await crm.write('contact', writes, noSignal())).toMatchObject([
      { kind: 'rejected', code: 'A_CODE' },
      { kind: 'rejected', code: 'B_CODE' },
      { kind: 'unknown' },
    ])
  })

  it.each([
    { name: 'an empty list', json: [] },
    { name: 'fewer rows than were sent', json: [{ id: '00Q000000000001', success: true }] },
    { name: 'no list', json: {} },
  ])('answered by $name is in doubt as a whole', async ({ json }) => {
    const { crm } = await open((call) => (isWrite(call) ? { json } : undefined))
    const writes = ['001', '002'].map((key) => update(key))
    expect(await crm.write('contact', writes, noSignal())).toEqual([
      { kind: 'unknown' },
      { kind: 'unknown' },
    ])
  })

  it('halves a call that is refused as a whole until the culprit is alone', async () => {
    const { crm, made } = await open((call) => {
      if (!isWrite(call)) return undefined
      const { records } = JSON.parse(call.body) as { records: { id: string }[] }
      if (records.some(({ id }) => id.endsWith('037'))) {
        const message = 'Cannot deserialize instance of double from VALUE_STRING value x'
        return { status: 400, json: [{ errorCode: 'JSON_PARSER_ERROR', message }] }
      }
      return { json: records.map(({ id }) => ({ id, success: true })) }
    })
    const writes = Array.from({ length: 100 }, (_, i) => update(String(1000 + i).slice(1)))
    const outcomes = await crm.write('contact', writes, noSignal())
    expect(outcomes.filter(({ kind }) => kind === 'written')).toHaveLength(99)
    expect(outcomes[37]).toMatchObject({ kind: 'rejected', code: 'JSON_PARSER_ERROR' })
    expect(made('/composite/sobjects').length).toBeLessThan(20)
  })
})

describe('looking somebody up', () => {
  it('asks for nobody when nobody is looked for', async () => {
    const { crm, stub } = await open(() => undefined)
    expect(await crm.find('contact', [], noSignal())).toEqual([])
    expect((await crm.read('contact', [], ['Email'], noSignal())).size).toBe(0)
    expect((await crm.companiesOf([], noSignal())).size).toBe(0)
    expect(await crm.write('contact', [], noSignal())).toEqual([])
    const others = stub.calls.filter(({ path }) => !path.endsWith('/describe'))
    expect(others.every(({ path }) => path === '/services/data/')).toBe(true)
  })

  it('keeps what is looked for inside of its quotes', async () => {
    const { crm, stub } = await open((call) => (isQuery(call) ? page([]) : undefined))
    const email = "\\' OR Email != '@acme.example"
    await crm.read('contact', ['003000000000001AAA'], ['Email'], noSignal())
    await crm
      .find('contact', [{ ref: 'p', key: 'p', emails: [email], domains: [] }], noSignal())
      .catch(() => undefined)
    const composite = stub.calls.find(({ path }) => path.endsWith('/composite'))
    const asked = composite
      ? JSON.parse(composite.body).compositeRequest.map((one: { url: string }) =>
          new URL(one.url, 'http://stub').searchParams.get('q'),
        )
      : stub.calls.filter(isQuery).map(askedQuery)
    expect(asked[0]).toContain("'\\\\\\' OR Email != \\'@acme.example'")
  })
})
