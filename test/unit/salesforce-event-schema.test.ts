import { createRequire } from 'node:module'
import { describe, expect, it } from '@jest/globals'
import { eventSchema } from '../../connectors/crms/salesforce/stream/event-schema.ts'

const { createType } = createRequire(import.meta.url)('avro-js/lib/schemas.js') as {
  createType(schema: unknown): { toBuffer(value: unknown): Buffer }
}

const strings = { type: 'array', items: 'string' }
const HEADER = {
  type: 'record',
  name: 'ChangeEventHeader',
  fields: [
    { name: 'entityName', type: 'string' },
    { name: 'recordIds', type: strings },
    {
      name: 'changeType',
      type: { type: 'enum', name: 'ChangeType', symbols: ['CREATE', 'UPDATE'] },
    },
    { name: 'changeOrigin', type: 'string' },
    { name: 'commitTimestamp', type: 'long' },
    { name: 'commitNumber', type: 'long' },
    { name: 'nulledFields', type: strings },
    { name: 'diffFields', type: strings },
    { name: 'changedFields', type: strings },
  ],
}
const text = (name: string) => ({ name, type: ['null', 'string'] })
/** An address is described where it stands first, and only named from then on. */
const SCHEMA = {
  type: 'record',
  name: 'ContactChangeEvent',
  namespace: 'com.sforce.eventbus',
  fields: [
    { name: 'ChangeEventHeader', type: HEADER },
    text('Title'),
    {
      name: 'Name',
      type: [
        'null',
        { type: 'record', name: 'PersonName', fields: [text('FirstName'), text('LastName')] },
      ],
    },
    {
      name: 'OtherAddress',
      type: ['null', { type: 'record', name: 'Address', fields: [text('Street'), text('City')] }],
    },
    { name: 'MailingAddress', type: ['null', 'Address'] },
    { name: 'Big__c', type: ['null', 'long'] },
    text('Last__c'),
  ],
}

const header = (more: object) => ({
  ...{ entityName: 'Contact', recordIds: ['003a'], changeType: 'UPDATE', changeOrigin: 'x' },
  ...{ commitTimestamp: 1, commitNumber: 2, nulledFields: [], diffFields: [], changedFields: [] },
  ...more,
})

function written(more: object): Buffer {
  return createType(SCHEMA).toBuffer({
    ChangeEventHeader: header(more),
    ...{ Title: { string: 'CTO' }, Name: null, OtherAddress: null, MailingAddress: null },
    ...{ Big__c: { long: 5 }, Last__c: null },
  })
}

const read = (more: object) => eventSchema(JSON.stringify(SCHEMA)).read(written(more))

describe('fields named by a bitmap', () => {
  it.each([
    { name: 'of the event', changedFields: ['0x02'], want: ['Title'] },
    {
      name: 'in small letters, far to the left',
      changedFields: ['0x6a'].slice(0, 1),
      want: ['Title', 'OtherAddress', 'Big__c', 'Last__c'],
    },
    {
      name: 'parts of a name',
      changedFields: ['0x00', '2-0x03'],
      want: ['Name', 'FirstName', 'LastName'],
    },
    {
      name: 'parts of an address',
      changedFields: ['0x00', '3-0x02'],
      want: ['OtherAddress', 'OtherCity'],
    },
    {
      name: 'parts of one that is described elsewhere',
      changedFields: ['0x00', '4-0x01'],
      want: ['MailingAddress', 'MailingStreet'],
    },
    { name: 'of a field that is not there', changedFields: ['0x00', '99-0x01'], want: [] },
    { name: 'what is no bitmap', changedFields: ['Title', '0xZZ', ''], want: [] },
    { name: 'none', changedFields: [], want: [] },
  ])('are read: $name', ({ changedFields, want }) => {
    expect(read({ changedFields }).fields).toEqual(want)
  })

  it('are those that changed, were emptied or came as a difference, each once', () => {
    const bitmaps = { changedFields: ['0x02'], nulledFields: ['0x42'], diffFields: ['0x20'] }
    expect([...read(bitmaps).fields].sort()).toEqual(['Big__c', 'Last__c', 'Title'])
  })
})

describe('an event', () => {
  it('is read as far as it says what happened to which records', () => {
    expect(read({ recordIds: ['003a', '003b'], changeType: 'CREATE' })).toEqual({
      ...{ entity: 'Contact', type: 'CREATE', ids: ['003a', '003b'], origin: 'x', fields: [] },
      ...{ convertedTo: null, accountId: null },
    })
  })

  it('may hold numbers that JavaScript has not', () => {
    const bytes = written({})
    // The last two fields: a long in a union (branch 1, value 5) and null.
    const tail = Buffer.from([0x02, 0x0a, 0x00])
    expect(bytes.subarray(-3)).toEqual(tail)
    const huge = Buffer.from([
      0x02, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00,
    ])
    const spoilt = Buffer.concat([bytes.subarray(0, -3), huge])
    expect(eventSchema(JSON.stringify(SCHEMA)).read(spoilt).entity).toBe('Contact')
  })

  it.each([
    { name: 'that is cut off', payload: written({}).subarray(0, 10) },
    { name: 'of another schema', payload: Buffer.from('no event at all') },
  ])('$name is refused', ({ payload }) => {
    expect(() => eventSchema(JSON.stringify(SCHEMA)).read(payload)).toThrow()
  })

  it.each(['', '{}', '{"type":"record","name":"X","fields":[]}'])('has no schema in %j', (json) => {
    expect(() => eventSchema(json)).toThrow()
  })
})
