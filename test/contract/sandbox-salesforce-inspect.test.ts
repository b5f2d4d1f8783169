import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

type Row = Record<string, unknown>
const AT = Date.parse('2026-11-20T10:00:00.000Z')
let org: RunningSalesforce

beforeEach(async () => {
  org = await startSalesforceSandbox({ now: () => AT, bulk: { stepMs: 1 } })
})

afterEach(async () => {
  await org.close()
})

const LEAD = { LastName: 'Lovelace', Company: 'Engines' }
const create = () => org.call('POST', '/sobjects/Lead', LEAD)
const records = () => [{ attributes: { type: 'Lead' }, ...LEAD }]
const createMany = () => org.call('POST', '/composite/sobjects', { records: records() })
const leads = () => org.sandbox.count('Lead')
const control = (method: string, path: string, body?: unknown) =>
  org.call(method, `/sandbox${path}`, body)

describe('faults', () => {
  it('answer with the scripted status, body and headers, and do nothing', async () => {
    const body = [{ errorCode: 'SERVER_UNAVAILABLE', message: 'later' }]
    org.sandbox.faults.push({
      method: 'POST',
      path: /Lead/,
      status: 503,
      body,
      headers: { a: 'b' },
    })
    const { status, json, headers } = await create()
    expect([status, json, headers.get('a'), leads()]).toEqual([503, body, 'b', 0])
    expect((await create()).status).toBe(201)
  })

  it('can be an HTML page, also after the call was carried out', async () => {
    org.sandbox.faults.push({ status: 502, body: '<html>Bad Gateway</html>', carriedOut: true })
    const { status, text, headers } = await create()
    expect([status, text, leads()]).toEqual([502, '<html>Bad Gateway</html>', 1])
    expect(headers.get('content-type')).toContain('text/html')
  })

  it.each([
    { kind: 'reset', written: 0 },
    { kind: 'reset-after', written: 1 },
    { kind: 'half-body', written: 1 },
  ] as const)('$kind breaks the connection with $written written', async ({ kind, written }) => {
    org.sandbox.faults.push({ kind })
    await expect(createMany()).rejects.toThrow()
    expect([leads(), org.sandbox.calls().length]).toEqual([written, 1])
  })

  it('empty-2xx succeeds without a result, and nothing happened', async () => {
    org.sandbox.faults.push({ kind: 'empty-2xx' })
    const many = await createMany()
    org.sandbox.faults.push({ kind: 'empty-2xx' })
    expect([many.status, many.json, (await create()).status, leads()]).toEqual([200, [], 204, 0])
  })

  it('wait, meet a record by what is in the body, and come later', async () => {
    org.sandbox.faults.push({ mentions: 'Lovelace', status: 500, nth: 2 })
    org.sandbox.faults.push({ delayMs: 30 })
    const start = performance.now()
    expect((await create()).status).toBe(201)
    expect(performance.now() - start).toBeGreaterThanOrEqual(28)
    expect((await create()).json).toMatchObject([{ errorCode: 'UNKNOWN_EXCEPTION' }])
  })

  it('come before the token is looked at, and stand in for an expired one', async () => {
    org.sandbox.faults.push({ path: /limits/, status: 401 })
    const { json } = await org.call('GET', '/limits')
    expect(json).toEqual([
      { errorCode: 'INVALID_SESSION_ID', message: 'Session expired or invalid' },
    ])
  })
})

describe('a seed', () => {
  it('fills the org without a call', () => {
    const ids = org.sandbox.seed({
      users: [{ Username: 'a@x.example', LastName: 'A' }],
      accounts: [{ Name: 'Engines' }],
      leads: [LEAD],
      contacts: [{ LastName: 'B', account: 0 }, { LastName: 'C' }],
    })
    const [first, second] = ids.contacts.map((id) => org.sandbox.record(id)?.values['AccountId'])
    expect([first, second, org.sandbox.calls()]).toEqual([ids.accounts[0], undefined, []])
    expect(org.sandbox.record(ids.users[0] ?? '')?.values['IsActive']).toBe(true)
  })
})

describe('the control paths', () => {
  it('show calls by kind, and forget them', async () => {
    await create()
    await createMany()
    await org.call('GET', '/query?q=SELECT+Id+FROM+Lead')
    await org.call('GET', '/sobjects/Lead/describe')
    await org.call('GET', '/sobjects/Lead/nope')
    expect((await control('GET', '/calls?limit=1')).json).toMatchObject({
      total: 5,
      kinds: { write: 2, query: 1, describe: 1, read: 1 },
      refused: 1,
      brokenOff: 0,
      calls: [{ path: '/services/data/v67.0/sobjects/Lead/nope', status: 404 }],
    })
    await control('DELETE', '/calls')
    expect(org.sandbox.calls()).toEqual([])
  })

  it('script faults', async () => {
    const { status, json } = await control('POST', '/faults', {
      path: 'Lead',
      status: 503,
      times: 2,
    })
    expect([status, json]).toEqual([201, { pending: 2 }])
    expect((await create()).status).toBe(503)
    await control('DELETE', '/faults')
    expect((await create()).status).toBe(201)
    expect((await control('POST', '/faults', { nonsense: 1 })).status).toBe(400)
  })

  it('do by hand what people do', async () => {
    const make = async (object: string, values: Row) => {
      const { json } = await control('POST', `/records/${object}`, values)
      return String((json as Row)['id'])
    }
    const act = (object: string, id: string, what: string, body: Row = {}) =>
      control('POST', `/records/${object}/${id}/${what}`, body)
    const valuesOf = (id: string) => org.sandbox.record(id)?.values
    const lead = await make('Lead', LEAD)
    await act('Lead', lead, 'edit', { FirstName: 'Ada' })
    const { json } = await act('Lead', lead, 'convert', { opportunityName: 'Deal' })
    const { opportunityId, contactId } = json as Record<string, string>
    await act('Opportunity', opportunityId ?? '', 'win')
    expect(valuesOf(opportunityId ?? '')).toMatchObject({ IsWon: true })
    await control('POST', '/log', { kind: 'call', values: { WhoId: contactId } })
    expect(org.sandbox.records('Task')[0]?.values).toMatchObject({ TaskSubtype: 'Call' })
    const task = await make('Task', { Subject: 'x' })
    await act('Task', task, 'complete')
    expect(valuesOf(task)).toMatchObject({ IsClosed: true })
    await act('User', org.sandbox.users.rep, 'deactivate')
    expect(valuesOf(org.sandbox.users.rep)).toMatchObject({ IsActive: false })
    const [a, b] = [await make('Account', { Name: 'A' }), await make('Account', { Name: 'B' })]
    await act('Account', b, 'merge', { into: a })
    expect(valuesOf(b)).toMatchObject({ MasterRecordId: a })
    await act('Account', a, 'delete')
    await act('Account', a, 'undelete')
    expect(valuesOf(a)).toMatchObject({ IsDeleted: false })
    expect((await act('Account', a, 'paint')).status).toBe(404)
    expect((await make('Lead', { LastName: 'x' })) === 'undefined').toBe(true)
  })

  it('set up fields, rules, locks, time, usage, tokens, jobs and the stream', async () => {
    await control('POST', '/fields', { object: 'Lead', name: 'Key__c', externalId: true })
    await control('PUT', '/validation-rules', {
      object: 'Lead',
      name: 'r',
      when: [{ field: 'LastName', is: 'equal', value: 'Bad' }],
      message: 'No.',
    })
    const bad = await org.call('POST', '/sobjects/Lead', { ...LEAD, LastName: 'Bad', Key__c: 'k' })
    expect(bad.json).toMatchObject([{ errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION' }])
    await control('DELETE', '/validation-rules/Lead/r')
    const id = String(((await create()).json as Row)['id'])
    await control('POST', '/locks', { id })
    const locked = await org.call('PATCH', `/sobjects/Lead/${id}`, { LastName: 'x' })
    expect(locked.json).toMatchObject([{ errorCode: 'UNABLE_TO_LOCK_ROW' }])
    await control('PUT', '/assignment', { object: 'Lead', ownerId: org.sandbox.users.rep })
    await org.call('PATCH', `/sobjects/Lead/${id}`, { LastName: 'x' })
    expect(org.sandbox.record(id)?.values['OwnerId']).toBe(org.sandbox.users.rep)
    expect((await control('POST', '/clock', { advanceMs: 60_000 })).json).toEqual({
      now: '2026-11-20T10:01:00.000Z',
    })
    const access = org.sandbox.access.issue()
    await control('POST', '/tokens/expire')
    const old = await org.call('GET', '/limits', undefined, { authorization: `Bearer ${access}` })
    expect(old.status).toBe(401)
    await control('POST', '/usage', { calls: 1000 })
    const { headers } = await org.call('GET', '/limits')
    expect(headers.get('sforce-limit-info')).toMatch(/^api-usage=10\d\d\//)
    await control('POST', '/stream', { gap: { object: 'Lead', ids: [id] } })
    const { json } = await control('GET', '/events?limit=1')
    expect(json).toMatchObject({
      events: [{ payload: { ChangeEventHeader: { changeType: 'GAP_UPDATE', recordIds: [id] } } }],
    })
  })

  it('are for this machine alone', async () => {
    const { status } = await org.call('GET', '/sandbox/calls', undefined, {
      origin: 'https://evil.example',
    })
    expect(status).toBe(403)
  })
})

describe('the pages', () => {
  it('show the records, and one over time, with nothing taken for markup', async () => {
    const id = org.sandbox.people.create('Lead', { ...LEAD, LastName: '<b>Ada</b>' })
    org.sandbox.people.edit('Lead', id, { Phone: '123' })
    const list = await org.call('GET', '/sandbox')
    expect(list.text).toContain('&lt;b&gt;Ada&lt;/b&gt;')
    expect(list.headers.get('content-security-policy')).toContain("default-src 'none'")
    const view = await org.call('GET', `/sandbox/view/${id}`)
    expect(view.text).toContain('<code>Phone</code> <span class="old"></span> 123')
    expect(view.text).toContain('Rhea Rep')
    const { json } = await control('GET', `/records/Lead/${id}/history`)
    expect(json).toMatchObject({
      id,
      values: { Phone: '123' },
      versions: [{ what: 'create' }, { what: 'update', changes: { Phone: [null, '123'] } }],
    })
    expect((await org.call('GET', '/sandbox?object=Lead&q=nobody')).text).toContain('No records.')
    expect((await org.call('GET', '/sandbox/view/00Qnope')).status).toBe(404)
  })
})
