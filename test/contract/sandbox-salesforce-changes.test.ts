import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

type Row = Record<string, unknown>
const AT = Date.parse('2026-11-20T10:00:00.000Z')
const MINUTE = 60_000
let clock = AT
let org: RunningSalesforce

beforeEach(async () => {
  clock = AT
  org = await startSalesforceSandbox({ now: () => clock })
})

afterEach(async () => {
  await org.close()
})

const people = () => org.sandbox.people
const lead = (LastName: string) => people().create('Lead', { LastName, Company: 'X' })
const moment = (at: number) =>
  encodeURIComponent(new Date(at).toISOString().replace(/\.\d+Z/, '+00:00'))
const span = (what: string, from = AT - MINUTE, until = AT + 60 * MINUTE, object = 'Lead') =>
  org.call('GET', `/sobjects/${object}/${what}?start=${moment(from)}&end=${moment(until)}`)

describe('getUpdated', () => {
  it('names each changed record once, up to now', async () => {
    const ids = [lead('A'), lead('B')]
    clock += 5 * MINUTE
    people().edit('Lead', ids[0] ?? '', { LastName: 'AA' })
    clock += MINUTE
    const { json } = await span('updated')
    expect(json).toEqual({
      ids: [ids[1], ids[0]],
      latestDateCovered: '2026-11-20T10:06:00.000+0000',
    })
    const later = await span('updated', AT + MINUTE)
    expect((later.json as Row)['ids']).toEqual([ids[0]])
  })

  it('covers no more than what no open transaction can still change', async () => {
    const id = lead('A')
    clock += MINUTE
    const slow = people().openTransaction()
    clock += MINUTE
    slow.edit('Lead', id, { LastName: 'Late' })
    clock += 10 * MINUTE
    const early = (await span('updated')).json as Row
    expect(early['latestDateCovered']).toBe('2026-11-20T10:01:00.000+0000')
    slow.commit()
    expect(org.sandbox.record(id)?.values['SystemModstamp']).toBe('2026-11-20T10:02:00.000+0000')
    const late = (await span('updated', AT + MINUTE)).json as Row
    expect(late).toEqual({ ids: [id], latestDateCovered: '2026-11-20T10:12:00.000+0000' })
  })

  it.each([
    { name: 'a span under a minute', from: AT, until: AT + 59_000, object: 'Lead' },
    { name: 'a start of long ago', from: AT - 31 * 86_400_000, until: AT, object: 'Lead' },
  ])('refuses $name', async ({ from, until, object }) => {
    const { status, json } = await span('updated', from, until, object)
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, 'INVALID_REPLICATION_DATE'])
  })

  it('is not answered for every object', async () => {
    expect((await span('updated', AT - MINUTE, AT, 'OpportunityFieldHistory')).status).toBe(400)
  })
})

describe('getDeleted', () => {
  it('names what was deleted or merged away, and not what came back', async () => {
    const [a = '', b = '', c = '', d = ''] = ['A', 'B', 'C', 'D'].map(lead)
    clock += MINUTE
    people().delete('Lead', a)
    people().delete('Lead', b)
    people().merge('Lead', c, [d])
    people().undelete('Lead', b)
    clock += MINUTE
    const { json } = await span('deleted')
    const deletedDate = '2026-11-20T10:01:00.000+0000'
    expect(json).toEqual({
      deletedRecords: [
        { id: a, deletedDate },
        { id: d, deletedDate },
      ],
      earliestDateAvailable: '2026-11-05T10:02:00.000+0000',
      latestDateCovered: '2026-11-20T10:02:00.000+0000',
    })
  })

  it('says from when on it still knows', async () => {
    people().delete('Lead', lead('A'))
    clock += 5 * MINUTE
    org.sandbox.purgeDeleteLog()
    clock += 5 * MINUTE
    expect((await span('deleted')).json).toMatchObject({
      deletedRecords: [],
      earliestDateAvailable: '2026-11-20T10:05:00.000+0000',
    })
  })
})

describe('composite', () => {
  const post = (compositeRequest: Row[], allOrNone = false) =>
    org.call('POST', '/composite', { allOrNone, compositeRequest })
  const account = {
    method: 'POST',
    url: '/services/data/v67.0/sobjects/Account',
    referenceId: 'refAccount',
    body: { Name: 'Engines' },
  }
  const contact = (LastName: string | null) => ({
    method: 'POST',
    url: '/services/data/v67.0/sobjects/Contact',
    referenceId: 'refContact',
    body: { ...(LastName === null ? {} : { LastName }), AccountId: '@{refAccount.id}' },
  })

  it('hands results on, and counts as one call', async () => {
    const { json, headers } = await post([account, contact('Ada')])
    const [made] = org.sandbox.records('Account')
    const [person] = org.sandbox.records('Contact')
    expect(json).toEqual({
      compositeResponse: [
        {
          body: { id: made?.id, success: true, errors: [] },
          httpHeaders: { Location: `/services/data/v67.0/sobjects/Account/${made?.id}` },
          httpStatusCode: 201,
          referenceId: 'refAccount',
        },
        {
          body: { id: person?.id, success: true, errors: [] },
          httpHeaders: { Location: `/services/data/v67.0/sobjects/Contact/${person?.id}` },
          httpStatusCode: 201,
          referenceId: 'refContact',
        },
      ],
    })
    expect(person?.values['AccountId']).toBe(made?.id)
    expect(headers.get('sforce-limit-info')).toMatch(/^api-usage=1\//)
  })

  it.each([
    { allOrNone: false, accounts: 1, codes: [201, 400] },
    { allOrNone: true, accounts: 0, codes: [400, 400] },
  ])('with allOrNone $allOrNone keeps $accounts', async ({ allOrNone, accounts, codes }) => {
    const { json } = await post([account, contact(null)], allOrNone)
    const replies = (json as { compositeResponse: Row[] }).compositeResponse
    expect(replies.map(({ httpStatusCode }) => httpStatusCode)).toEqual(codes)
    expect(org.sandbox.records('Account').length).toBe(accounts)
  })

  it('takes 25 calls', async () => {
    const many = Array.from({ length: 26 }, (_, place) => ({
      ...account,
      referenceId: `r${place}`,
    }))
    expect((await post(many)).status).toBe(400)
    expect((await post(many.slice(1))).status).toBe(200)
  })

  it('asks, in batches and graphs too', async () => {
    people().create('Account', { Name: 'Engines' })
    const { json } = await org.call('POST', '/composite/batch', {
      batchRequests: [
        { method: 'GET', url: 'v67.0/query?q=SELECT+Name+FROM+Account' },
        { method: 'GET', url: 'v67.0/sobjects/Account/nope' },
      ],
    })
    expect(json).toMatchObject({
      hasErrors: true,
      results: [{ statusCode: 200, result: { totalSize: 1 } }, { statusCode: 404 }],
    })
    const graphs = await org.call('POST', '/composite/graph', {
      graphs: [
        { graphId: 'g1', compositeRequest: [account, contact('Ada')] },
        { graphId: 'g2', compositeRequest: [account, contact(null)] },
      ],
    })
    expect(graphs.json).toMatchObject({
      graphs: [
        { graphId: 'g1', isSuccessful: true },
        { graphId: 'g2', isSuccessful: false },
      ],
    })
    expect(org.sandbox.records('Account').length).toBe(2)
  })
})
