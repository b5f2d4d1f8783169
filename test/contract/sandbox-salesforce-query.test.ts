import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

type Row = Record<string, unknown>
interface Page {
  readonly totalSize: number
  readonly done: boolean
  readonly nextRecordsUrl?: string
  readonly records: Row[]
}

const AT = Date.parse('2026-11-20T10:00:00.000Z')
let clock = AT
let org: RunningSalesforce
const ids: Record<string, string> = {}

/** A small org: two accounts, three contacts, leads of which one is deleted, an opportunity. */
beforeAll(async () => {
  org = await startSalesforceSandbox({ now: () => clock })
  const { people } = org.sandbox
  org.sandbox.defineField('Lead', { name: 'Score__c', type: 'double', precision: 3 })
  org.sandbox.defineField('Lead', { name: 'Key__c', caseSensitive: true, externalId: true })
  org.sandbox.defineField('Lead', {
    name: 'Tags__c',
    type: 'multipicklist',
    values: ['a', 'b', 'c'],
  })
  ids['acme'] = people.create('Account', {
    Name: 'Acme',
    Website: 'https://www.acme.example',
    BillingCity: 'Berlin',
  })
  ids['beta'] = people.create('Account', { Name: 'beta', NumberOfEmployees: 20 })
  const contact = (LastName: string, account: string) =>
    people.create('Contact', { LastName, AccountId: ids[account] ?? null })
  ids['ann'] = contact('Ann', 'acme')
  ids['bob'] = contact('Bob', 'acme')
  ids['cy'] = contact('Cy', 'beta')
  ids['queue'] = people.addQueue('Inbound', ['Lead'])
  const lead = (LastName: string, more: Row = {}) => {
    clock += 1000
    return people.create('Lead', { LastName, Company: 'X', ...more } as never)
  }
  ids['one'] = lead("O'Neil", { Email: 'One@x.example', Score__c: 10, Tags__c: 'a;b' })
  ids['two'] = lead('100%', { Score__c: 20, OwnerId: ids['queue'], Key__c: 'k' })
  ids['three'] = lead('a\\b', { Score__c: 30, Key__c: 'K', Tags__c: 'c' })
  ids['four'] = lead('Four', { Rating: 'Hot' })
  ids['gone'] = lead('Gone')
  people.delete('Lead', ids['gone'])
  ids['deal'] = people.openOpportunity({ Name: 'Deal', AccountId: ids['acme'], Amount: 500 }, [
    ids['ann'],
    ids['bob'],
  ])
  people.create('Task', { Subject: 'Call Ann', WhoId: ids['ann'], Description: 'long' })
})

afterAll(async () => {
  await org.close()
})

const ask = (soql: string, path = '/query', headers = {}) =>
  org.call('GET', `${path}?q=${encodeURIComponent(soql)}`, undefined, headers)
const page = async (soql: string, path?: string) => (await ask(soql, path)).json as Page
const names = async (where: string) =>
  (await page(`SELECT LastName FROM Lead ${where}`)).records.map(({ LastName }) => LastName)

describe('a WHERE clause', () => {
  it.each([
    { where: "WHERE LastName = 'O\\'Neil'", want: ["O'Neil"] },
    { where: "WHERE Email = 'one@X.example'", want: ["O'Neil"] },
    { where: "WHERE LastName = 'a\\\\b'", want: ['a\\b'] },
    { where: "WHERE LastName LIKE '100\\%'", want: ['100%'] },
    { where: "WHERE LastName LIKE '%o%'", want: ["O'Neil", 'Four'] },
    { where: "WHERE LastName LIKE '_our'", want: ['Four'] },
    { where: "WHERE (NOT LastName LIKE '%o%')", want: ['100%', 'a\\b'] },
    { where: 'WHERE Score__c > 10', want: ['100%', 'a\\b'] },
    { where: 'WHERE Score__c >= 10 AND Score__c < 30', want: ["O'Neil", '100%'] },
    { where: 'WHERE Score__c = null', want: ['Four'] },
    { where: 'WHERE Score__c != 10', want: ['100%', 'a\\b', 'Four'] },
    { where: "WHERE Key__c = 'k'", want: ['100%'] },
    { where: "WHERE LastName IN ('four', '100%')", want: ['100%', 'Four'] },
    { where: "WHERE LastName NOT IN ('four', '100%')", want: ["O'Neil", 'a\\b'] },
    {
      where: "WHERE Score__c = 10 OR (Rating = 'Hot' AND IsConverted = false)",
      want: ["O'Neil", 'Four'],
    },
    { where: 'WHERE NOT (Score__c = 10 OR Score__c = 20)', want: ['a\\b', 'Four'] },
    { where: "WHERE Owner.Type = 'Queue'", want: ['100%'] },
    { where: "WHERE Owner.Name = 'inbound'", want: ['100%'] },
    { where: 'WHERE Owner.IsActive = true', want: ["O'Neil", 'a\\b', 'Four'] },
    { where: 'WHERE SystemModstamp >= 2026-11-20T10:00:03Z', want: ['a\\b', 'Four'] },
    { where: 'WHERE SystemModstamp > 2026-11-20T11:00:03+01:00', want: ['Four'] },
    { where: 'WHERE CreatedDate = TODAY', want: ["O'Neil", '100%', 'a\\b', 'Four'] },
    { where: 'WHERE CreatedDate < LAST_N_DAYS:3', want: [] },
    {
      where:
        'WHERE SystemModstamp > 2026-11-20T10:00:03Z OR (SystemModstamp = 2026-11-20T10:00:02Z AND Score__c > 0) ORDER BY SystemModstamp, Id LIMIT 10',
      want: ['100%', 'Four'],
    },
    {
      where: 'WHERE SystemModstamp > 2026-11-20T10:00:03Z OR Score__c = 10',
      want: ["O'Neil", 'Four'],
    },
    { where: "WHERE Tags__c INCLUDES ('a', 'c')", want: ["O'Neil", 'a\\b'] },
    { where: "WHERE Tags__c INCLUDES ('b;c')", want: [] },
    { where: "WHERE Lead.LastName = 'Four'", want: ['Four'] },
    { where: 'WHERE Score__c != null ORDER BY Score__c DESC LIMIT 2', want: ['a\\b', '100%'] },
    { where: 'ORDER BY Score__c LIMIT 1', want: ['Four'] },
    { where: 'ORDER BY Score__c NULLS LAST LIMIT 1 OFFSET 1', want: ['100%'] },
    { where: 'ORDER BY SystemModstamp, Id LIMIT 2', want: ["O'Neil", '100%'] },
  ])('$where', async ({ where, want }) => {
    const found = await names(where)
    // Without an ORDER BY no order is promised.
    if (where.includes('ORDER BY')) expect(found).toEqual(want)
    else expect(found.sort()).toEqual([...want].sort())
  })

  it('finds ids in any form', async () => {
    const id = ids['two'] ?? ''
    expect(await names(`WHERE Id IN ('${id.slice(0, 15)}', '${id.toLowerCase()}')`)).toEqual([
      '100%',
    ])
  })

  it('looks into other objects', async () => {
    const { records } = await page(
      "SELECT Name, Owner.Name, Account.Name FROM Contact WHERE AccountId IN (SELECT Id FROM Account WHERE Website LIKE '%acme%') AND Account.BillingCity = 'Berlin' ORDER BY Name DESC",
    )
    expect(records.map(({ Name }) => Name)).toEqual(['Bob', 'Ann'])
    expect(records[0]?.['Account']).toMatchObject({ attributes: { type: 'Account' }, Name: 'Acme' })
    expect(records[0]?.['Owner']).toMatchObject({ attributes: { type: 'User' }, Name: 'Rhea Rep' })
  })
})

describe('what is selected', () => {
  it('stands in every record behind its attributes', async () => {
    const { records, ...rest } = await page("SELECT Id, lastname FROM Lead WHERE LastName = 'Four'")
    expect(rest).toEqual({ totalSize: 1, done: true })
    expect(records).toEqual([
      {
        attributes: { type: 'Lead', url: `/services/data/v67.0/sobjects/Lead/${ids['four']}` },
        Id: ids['four'],
        LastName: 'Four',
      },
    ])
  })

  it('shows an address as a whole, and an empty one as null', async () => {
    const { records } = await page('SELECT BillingAddress FROM Account ORDER BY Name')
    expect(records.map(({ BillingAddress }) => BillingAddress)).toEqual([
      expect.objectContaining({ city: 'Berlin', country: null }),
      null,
    ])
  })

  it('shows children, and null where there are none', async () => {
    const { records } = await page(
      'SELECT Name, (SELECT ContactId, IsPrimary FROM OpportunityContactRoles ORDER BY IsPrimary DESC) FROM Opportunity',
    )
    expect(records[0]?.['OpportunityContactRoles']).toMatchObject({
      totalSize: 2,
      done: true,
      records: [
        { ContactId: ids['ann'], IsPrimary: true },
        { ContactId: ids['bob'], IsPrimary: false },
      ],
    })
    const { records: accounts } = await page(
      "SELECT Id, (SELECT Id FROM Opportunities) FROM Account WHERE Name = 'beta'",
    )
    expect(accounts[0]?.['Opportunities']).toBeNull()
  })

  it('counts and adds up', async () => {
    expect(await page('SELECT COUNT() FROM Lead')).toEqual({
      totalSize: 4,
      done: true,
      records: [],
    })
    const { records } = await page('SELECT COUNT(Id), MAX(Score__c) best, SUM(Score__c) FROM Lead')
    const attributes = { type: 'AggregateResult' }
    expect(records).toEqual([{ attributes, expr0: 4, best: 30, expr1: 60 }])
    const groups = await page('SELECT AccountId, COUNT(Id) n FROM Contact GROUP BY AccountId')
    expect(groups.records.map(({ n }) => n)).toEqual([2, 1])
  })

  it('includes deleted records only in queryAll', async () => {
    const soql = 'SELECT Id, IsDeleted, MasterRecordId FROM Lead WHERE IsDeleted = true'
    expect((await page(soql)).totalSize).toBe(0)
    expect((await page(soql, '/queryAll')).records).toMatchObject([
      { Id: ids['gone'], IsDeleted: true, MasterRecordId: null },
    ])
  })
})

describe('a query that is wrong', () => {
  it.each([
    { soql: 'SELECT FROM Lead', code: 'MALFORMED_QUERY' },
    { soql: '', code: 'MALFORMED_QUERY' },
    { soql: "SELECT Id FROM Lead WHERE LastName = 'x", code: 'MALFORMED_QUERY' },
    {
      soql: "SELECT Id FROM Lead WHERE LastName = 'x' AND Email = 'y' OR Rating = 'z'",
      code: 'MALFORMED_QUERY',
    },
    { soql: 'SELECT Nope__c FROM Lead', code: 'INVALID_FIELD' },
    { soql: 'SELECT Id FROM Lead WHERE Nope.Name = 1', code: 'INVALID_FIELD' },
    { soql: "SELECT Id FROM Task WHERE Description = 'x'", code: 'INVALID_FIELD' },
    { soql: 'SELECT Id FROM Lead WHERE LastName = 5', code: 'INVALID_FIELD' },
    { soql: "SELECT Id FROM Lead WHERE CreatedDate > '2026-11-20'", code: 'INVALID_FIELD' },
    { soql: 'SELECT Id FROM Lead WHERE CreatedDate > 2026-11-20', code: 'INVALID_FIELD' },
    { soql: "SELECT Id FROM Lead WHERE Id = 'abc'", code: 'INVALID_QUERY_FILTER_OPERATOR' },
    { soql: 'SELECT Id FROM Nothing', code: 'INVALID_TYPE' },
    { soql: 'SELECT Id FROM Task ORDER BY Description', code: 'MALFORMED_QUERY' },
  ])('$soql is $code', async ({ soql, code }) => {
    const { status, json } = await ask(soql)
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, code])
  })
})

describe('pages', () => {
  let many: RunningSalesforce
  beforeAll(async () => {
    many = await startSalesforceSandbox()
    for (let place = 0; place < 4500; place++) {
      many.sandbox.people.create('Lead', { LastName: `L${place}`, Company: 'X' })
    }
  })
  afterAll(async () => {
    await many.close()
  })

  async function pages(soql: string, headers = {}): Promise<Page[]> {
    const got: Page[] = []
    let path: string | undefined = `/query?q=${encodeURIComponent(soql)}`
    while (path !== undefined) {
      const { json } = await many.call('GET', path, undefined, headers)
      got.push(json as Page)
      path = (json as Page).nextRecordsUrl
    }
    return got
  }

  it('hold up to 2,000 records and lead to one another until all were seen once', async () => {
    const got = await pages('SELECT Id FROM Lead')
    expect(got.map(({ records }) => records.length)).toEqual([2000, 2000, 500])
    expect(got.map(({ done, totalSize }) => [done, totalSize])).toEqual([
      [false, 4500],
      [false, 4500],
      [true, 4500],
    ])
    expect(got[0]?.nextRecordsUrl).toMatch(
      /^\/services\/data\/v67\.0\/query\/01g[a-zA-Z0-9]{15}-2000$/,
    )
    expect(new Set(got.flatMap(({ records }) => records.map(({ Id }) => Id))).size).toBe(4500)
  })

  it('are as small as is asked for, but not below 200', async () => {
    const header = { 'Sforce-Query-Options': 'batchSize=10' }
    const [first] = await pages('SELECT Id FROM Lead', header)
    expect(first?.records.length).toBe(200)
  })

  it('are smaller when records are wide', async () => {
    const [first] = await pages('SELECT FIELDS(STANDARD) FROM Lead')
    expect(first?.records.length).toBeLessThan(2000)
    expect(first?.totalSize).toBe(4500)
  })

  it('end with an error for a locator that is none', async () => {
    const { status, json } = await many.call('GET', '/query/01gxx-2000')
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, 'INVALID_QUERY_LOCATOR'])
  })
})
