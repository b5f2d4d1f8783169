import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

const AT = Date.parse('2026-11-20T10:00:00.400Z')
let clock = AT
let org: RunningSalesforce

beforeEach(async () => {
  clock = AT
  org = await startSalesforceSandbox({ now: () => clock })
  org.sandbox.defineField('Lead', {
    name: 'PQL_Person_Id__c',
    type: 'string',
    length: 64,
    externalId: true,
    unique: true,
  })
  org.sandbox.defineField('Lead', { name: 'PQL_Score__c', type: 'double', precision: 3 })
  org.sandbox.defineField('Lead', { name: 'Loose_Key__c', type: 'string', externalId: true })
})

afterEach(async () => {
  await org.close()
})

type Row = Record<string, unknown>
const LEAD = { LastName: 'Lovelace', Company: 'Engines' }
const lead = (more: Row = {}) => ({ attributes: { type: 'Lead' }, ...LEAD, ...more })

async function create(values: Row = LEAD): Promise<string> {
  const { json } = await org.call('POST', '/sobjects/Lead', values)
  return String((json as Row)['id'])
}
const read = async (id: string) => (await org.call('GET', `/sobjects/Lead/${id}`)).json as Row

describe('one record', () => {
  it('is created under an 18-character id, with the stamps in whole seconds', async () => {
    const { status, json, headers } = await org.call('POST', '/sobjects/Lead', LEAD)
    const id = String((json as Row)['id'])
    expect([status, json]).toEqual([201, { id, success: true, errors: [] }])
    expect(id).toMatch(/^00Q[a-zA-Z0-9]{15}$/)
    expect(headers.get('location')).toBe(`/services/data/v67.0/sobjects/Lead/${id}`)
    expect(await read(id)).toMatchObject({
      attributes: { type: 'Lead', url: `/services/data/v67.0/sobjects/Lead/${id}` },
      Id: id,
      Name: 'Lovelace',
      Status: 'Open - Not Contacted',
      IsConverted: false,
      Email: null,
      OwnerId: org.sandbox.users.integration,
      CreatedById: org.sandbox.users.integration,
      CreatedDate: '2026-11-20T10:00:00.000+0000',
      SystemModstamp: '2026-11-20T10:00:00.000+0000',
    })
  })

  it('is found by its short id, and by one that lost its case', async () => {
    const id = await create()
    expect((await read(id.slice(0, 15)))['Id']).toBe(id)
    expect((await read(id.toUpperCase()))['Id']).toBe(id)
  })

  it('is changed with 204, which moves the stamp also when nothing changed', async () => {
    const id = await create()
    clock += 5000
    const { status, text } = await org.call('PATCH', `/sobjects/Lead/${id}`, { LastName: 'Byron' })
    expect([status, text]).toEqual([204, ''])
    expect((await read(id))['SystemModstamp']).toBe('2026-11-20T10:00:05.000+0000')
    clock += 5000
    await org.call('PATCH', `/sobjects/Lead/${id}`, { LastName: 'Byron' })
    expect((await read(id))['SystemModstamp']).toBe('2026-11-20T10:00:10.000+0000')
  })

  it('is gone for reads and writes when deleted, and answers who knows its id', async () => {
    const id = await create()
    expect((await org.call('DELETE', `/sobjects/Lead/${id}`)).status).toBe(204)
    const gone = [{ message: 'entity is deleted', errorCode: 'ENTITY_IS_DELETED', fields: [] }]
    const again = await org.call('GET', `/sobjects/Lead/${id}`)
    expect([again.status, again.json]).toEqual([404, gone])
    const late = await org.call('PATCH', `/sobjects/Lead/${id}`, { LastName: 'x' })
    expect([late.status, late.json]).toEqual([404, gone])
    org.sandbox.people.undelete('Lead', id)
    expect((await read(id))['Id']).toBe(id)
  })

  it.each([
    {
      name: 'a missing field',
      body: { FirstName: 'Ada' },
      code: 'REQUIRED_FIELD_MISSING',
      message: 'Required fields are missing: [LastName, Company]',
      fields: ['LastName', 'Company'],
    },
    {
      name: 'a text that is too long',
      body: { ...LEAD, FirstName: 'x'.repeat(41) },
      code: 'STRING_TOO_LONG',
      message: `First Name: data value too large: ${'x'.repeat(41)} (max length=40)`,
      fields: ['FirstName'],
    },
    {
      name: 'a wrong e-mail',
      body: { ...LEAD, Email: 'ada@' },
      code: 'INVALID_EMAIL_ADDRESS',
      message: 'Email: invalid email address: ada@',
      fields: ['Email'],
    },
    {
      name: 'a number with too many digits',
      body: { ...LEAD, PQL_Score__c: 1000 },
      code: 'NUMBER_OUTSIDE_VALID_RANGE',
      message: 'PQL Score: value outside of valid range on numeric field: 1000',
      fields: ['PQL_Score__c'],
    },
    {
      name: 'a field that nobody may write',
      body: { ...LEAD, SystemModstamp: '2026-11-20T10:00:00Z' },
      code: 'INVALID_FIELD_FOR_INSERT_UPDATE',
      message:
        'Unable to create/update fields: SystemModstamp. Please check the security settings of this field and verify that it is read/write for your profile or permission set.',
      fields: ['SystemModstamp'],
    },
    {
      name: 'an id that is none',
      body: { ...LEAD, OwnerId: '005x' },
      code: 'MALFORMED_ID',
      message: 'Owner ID: id value of incorrect type: 005x',
      fields: ['OwnerId'],
    },
  ])('is refused for $name', async ({ body, code, message, fields }) => {
    const { status, json } = await org.call('POST', '/sobjects/Lead', body)
    expect([status, json]).toEqual([400, [{ message, errorCode: code, fields }]])
    expect(org.sandbox.records('Lead')).toEqual([])
  })

  it.each([
    { body: { Nope__c: 1 }, code: 'INVALID_FIELD', says: "No such column 'Nope__c' on sobject" },
    { body: { LastName: 5 }, code: 'JSON_PARSER_ERROR', says: 'string from VALUE_NUMBER_INT' },
    { body: { IsConverted: 'true' }, code: 'JSON_PARSER_ERROR', says: 'boolean from VALUE_STRING' },
    { body: { PQL_Score__c: 'x' }, code: 'JSON_PARSER_ERROR', says: 'double from VALUE_STRING' },
    { body: { ConvertedDate: '2026-02-31' }, code: 'JSON_PARSER_ERROR', says: 'date from' },
  ])('breaks the call with $says', async ({ body, code, says }) => {
    const { status, json } = await org.call('POST', '/sobjects/Lead', { ...LEAD, ...body })
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, code])
    expect((json as Row[])[0]?.['message']).toContain(says)
  })

  it('hides what field-level security hides, and only shows what it lets read', async () => {
    org.sandbox.defineField('Lead', { name: 'PQL_Score__c', visible: false })
    const hidden = await org.call('POST', '/sobjects/Lead', { ...LEAD, PQL_Score__c: 1 })
    expect((hidden.json as Row[])[0]?.['errorCode']).toBe('INVALID_FIELD')
    org.sandbox.defineField('Lead', { name: 'PQL_Score__c', visible: true, editable: false })
    const locked = await org.call('POST', '/sobjects/Lead', { ...LEAD, PQL_Score__c: 1 })
    expect((locked.json as Row[])[0]?.['errorCode']).toBe('INVALID_FIELD_FOR_INSERT_UPDATE')
    const { json } = await org.call('GET', '/sobjects/Lead/describe')
    const fields = (json as { fields: Row[] }).fields
    expect(fields.find(({ name }) => name === 'PQL_Score__c')).toMatchObject({
      updateable: false,
      createable: false,
    })
  })
})

describe('an upsert by a key', () => {
  const path = '/sobjects/Lead/PQL_Person_Id__c/p%201'

  it('creates with 201 and changes with 200', async () => {
    const first = await org.call('PATCH', path, LEAD)
    const id = String((first.json as Row)['id'])
    expect([first.status, first.json]).toEqual([
      201,
      { id, success: true, errors: [], created: true },
    ])
    const second = await org.call('PATCH', path, { LastName: 'Byron' })
    expect([second.status, second.json]).toEqual([
      200,
      { id, success: true, errors: [], created: false },
    ])
    expect(await read(id)).toMatchObject({ LastName: 'Byron', PQL_Person_Id__c: 'p 1' })
  })

  it('creates nothing when it must not', async () => {
    expect((await org.call('PATCH', `${path}?updateOnly=true`, LEAD)).status).toBe(404)
    expect(org.sandbox.records('Lead')).toEqual([])
  })

  it('answers 300 with the places when several have the key, and does nothing', async () => {
    const ids = [await create({ ...LEAD, Loose_Key__c: 'k' })]
    ids.push(await create({ ...LEAD, Loose_Key__c: 'K' }))
    const { status, json } = await org.call('PATCH', '/sobjects/Lead/Loose_Key__c/k', {
      LastName: 'x',
    })
    expect([status, json]).toEqual([
      300,
      ids.map((id) => `/services/data/v67.0/sobjects/Lead/${id}`),
    ])
    expect(org.sandbox.records('Lead').map(({ values }) => values['LastName'])).toEqual([
      'Lovelace',
      'Lovelace',
    ])
  })

  it.each(['LastName', 'Nope__c'])('does not know the key %s', async (name) => {
    const { status, json } = await org.call('PATCH', `/sobjects/Lead/${name}/x`, LEAD)
    const message = `Provided external ID field does not exist or is not accessible: ${name}`
    expect([status, json]).toEqual([404, [{ errorCode: 'NOT_FOUND', message }]])
  })

  it('loses a value with a slash', async () => {
    expect((await org.call('PATCH', '/sobjects/Lead/PQL_Person_Id__c/a/b', LEAD)).status).toBe(404)
  })
})

describe('many records', () => {
  const post = (records: Row[], more: Row = {}) =>
    org.call('POST', '/composite/sobjects', { allOrNone: false, records, ...more })

  it('are answered each in its place, with 200 also when all fail', async () => {
    const { status, json } = await post([
      lead(),
      { attributes: { type: 'Lead' } },
      lead({ FirstName: 'A' }),
    ])
    const rows = json as Row[]
    expect([status, rows.map(({ success }) => success)]).toEqual([200, [true, false, true]])
    expect(rows[1]).toEqual({
      success: false,
      errors: [
        {
          statusCode: 'REQUIRED_FIELD_MISSING',
          message: 'Required fields are missing: [LastName, Company]',
          fields: ['LastName', 'Company'],
        },
      ],
    })
    expect(rows[0]).toEqual({ id: org.sandbox.records('Lead')[0]?.id, success: true, errors: [] })
  })

  it('all go when all must come', async () => {
    const { json } = await post([lead(), lead({ Email: 'no' })], { allOrNone: true })
    const codes = (json as { errors: Row[] }[]).map(({ errors }) => errors[0]?.['statusCode'])
    expect(codes).toEqual(['ALL_OR_NONE_OPERATION_ROLLED_BACK', 'INVALID_EMAIL_ADDRESS'])
    expect(org.sandbox.records('Lead')).toEqual([])
  })

  it('are at most 200', async () => {
    const { status, json } = await post(Array.from({ length: 201 }, () => lead()))
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, 'EXCEEDED_ID_LIMIT'])
  })

  it('may mix types in at most ten chunks', async () => {
    const account = { attributes: { type: 'Account' }, Name: 'Engines' }
    const mixed = Array.from({ length: 12 }, (_, place) => (place % 2 ? account : lead()))
    expect((await post(mixed)).status).toBe(400)
    expect((await post(mixed.slice(0, 10))).status).toBe(200)
  })

  it('are changed by id, in lower case as a client may send it', async () => {
    const id = await create()
    const other = `003${id.slice(3)}`
    const { json } = await org.call('PATCH', '/composite/sobjects', {
      records: [
        { attributes: { type: 'Lead' }, id, LastName: 'Byron' },
        { attributes: { type: 'Lead' }, id: other, LastName: 'x' },
        { attributes: { type: 'Lead' }, id: `${id.slice(0, 14)}9`, LastName: 'x' },
      ],
    })
    const rows = json as { success: boolean; errors: Row[] }[]
    expect(rows.map(({ success }) => success)).toEqual([true, false, false])
    expect(rows[1]?.errors[0]?.['statusCode']).toBe('MALFORMED_ID')
    expect(rows[2]?.errors[0]?.['statusCode']).toBe('INVALID_CROSS_REFERENCE_KEY')
  })

  it('are upserted by a key, each telling whether it is new', async () => {
    const id = await create({ ...LEAD, PQL_Person_Id__c: 'a' })
    const { json } = await org.call('PATCH', '/composite/sobjects/Lead/PQL_Person_Id__c', {
      records: [
        lead({ PQL_Person_Id__c: 'A', PQL_Score__c: 70 }),
        lead({ PQL_Person_Id__c: 'b' }),
        lead({ PQL_Person_Id__c: 'twice' }),
        lead({ PQL_Person_Id__c: 'TWICE' }),
        lead(),
      ],
    })
    const rows = json as { id?: string; created?: boolean; errors: Row[] }[]
    expect(rows.map(({ created }) => created)).toEqual([
      false,
      true,
      undefined,
      undefined,
      undefined,
    ])
    expect([rows[0]?.id, (await read(id))['PQL_Score__c']]).toEqual([id, 70])
    expect(rows.slice(2).map(({ errors }) => errors[0]?.['statusCode'])).toEqual([
      'DUPLICATE_VALUE',
      'DUPLICATE_VALUE',
      'MISSING_ARGUMENT',
    ])
  })

  it('keep a unique value to one of them', async () => {
    const id = await create({ ...LEAD, PQL_Person_Id__c: 'a' })
    const { json } = await post([lead({ PQL_Person_Id__c: 'a' })])
    expect(json).toEqual([
      {
        success: false,
        errors: [
          {
            statusCode: 'DUPLICATE_VALUE',
            message: `duplicate value found: PQL_Person_Id__c duplicates value on record with id: ${id}`,
            fields: ['PQL_Person_Id__c'],
          },
        ],
      },
    ])
  })

  it('are read by ids, null where there is none, and deleted by ids', async () => {
    const id = await create({ ...LEAD, Email: 'ada@engines.example' })
    const missing = `${id.slice(0, 14)}9`
    const { json } = await org.call('POST', '/composite/sobjects/Lead', {
      ids: [id, missing],
      fields: ['Email'],
    })
    expect(json).toEqual([
      {
        attributes: { type: 'Lead', url: `/services/data/v67.0/sobjects/Lead/${id}` },
        Email: 'ada@engines.example',
      },
      null,
    ])
    const gone = await org.call('DELETE', `/composite/sobjects?ids=${id},${missing}`)
    expect((gone.json as Row[]).map(({ success }) => success)).toEqual([true, false])
  })

  it('fail as a call for a field that is not there, unless the org is set to fail the row', async () => {
    const { status, json } = await post([lead(), lead({ Nope__c: 1 })])
    expect([status, (json as Row[])[0]?.['errorCode']]).toEqual([400, 'INVALID_FIELD'])
    await org.close()
    org = await startSalesforceSandbox({ unknownFieldInCollections: 'row' })
    const lenient = await post([lead(), lead({ Nope__c: 1 })])
    expect((lenient.json as Row[]).map(({ success }) => success)).toEqual([true, false])
  })

  it('are counted in the log of calls', async () => {
    org.sandbox.resetCalls()
    await post([lead(), lead()])
    expect(org.sandbox.calls()).toMatchObject([
      { method: 'POST', kind: 'write', status: 200, inputs: 2 },
    ])
  })
})

describe('describe', () => {
  it('tells fields, choices, children and record types as the user sees them', async () => {
    const id = org.sandbox.people.addRecordType('Lead', 'Inbound')
    const { json } = await org.call('GET', '/sobjects/lead/describe')
    const lead = json as { fields: Row[]; childRelationships: Row[]; recordTypeInfos: Row[] }
    const field = (name: string) => lead.fields.find((one) => one['name'] === name)
    expect(lead).toMatchObject({ name: 'Lead', keyPrefix: '00Q', createable: true, custom: false })
    expect(field('PQL_Person_Id__c')).toMatchObject({
      type: 'string',
      length: 64,
      externalId: true,
      unique: true,
      idLookup: true,
      custom: true,
      caseSensitive: false,
    })
    expect(field('Email')).toMatchObject({ type: 'email', idLookup: true, length: 80 })
    expect(field('OwnerId')).toMatchObject({
      referenceTo: ['Group', 'User'],
      relationshipName: 'Owner',
      polymorphicForeignKey: true,
    })
    expect(field('Status')?.['picklistValues']).toContainEqual({
      value: 'Open - Not Contacted',
      label: 'Open - Not Contacted',
      active: true,
      defaultValue: true,
      validFor: null,
    })
    expect(lead.childRelationships).toContainEqual(
      expect.objectContaining({ childSObject: 'Task', field: 'WhoId', relationshipName: 'Tasks' }),
    )
    expect(lead.recordTypeInfos.map((one) => one['recordTypeId'])).toEqual([
      id,
      '012000000000000AAA',
    ])
  })

  it('of all names every object, and an unknown one is not there', async () => {
    const { json } = await org.call('GET', '/sobjects')
    const all = json as { maxBatchSize: number; sobjects: Row[] }
    expect(all.maxBatchSize).toBe(200)
    expect(all.sobjects.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['Lead', 'Contact', 'Account', 'Opportunity', 'Task', 'User']),
    )
    const missing = await org.call('GET', '/sobjects/Nope__c/describe')
    expect([missing.status, missing.json]).toEqual([
      404,
      [{ errorCode: 'NOT_FOUND', message: 'The requested resource does not exist' }],
    ])
  })
})
