import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import {
  type RunningSalesforce,
  startSalesforceSandbox,
} from '../../sandbox/salesforce/start-salesforce-sandbox.ts'

type Row = Record<string, unknown>
const AT = Date.parse('2026-11-20T10:00:00.000Z')
let clock = AT
let org: RunningSalesforce

beforeEach(async () => {
  clock = AT
  org = await startSalesforceSandbox({
    now: () => clock,
    convertMapping: [{ lead: 'Score__c', object: 'Contact', field: 'Score__c' }],
  })
  for (const object of ['Lead', 'Contact']) {
    org.sandbox.defineField(object, { name: 'Score__c', type: 'double', precision: 3 })
    org.sandbox.defineField(object, {
      name: 'Grade__c',
      type: 'picklist',
      values: ['A', 'B'],
      restricted: true,
    })
  }
})

afterEach(async () => {
  await org.close()
})

const LEAD = { LastName: 'Lovelace', Company: 'Engines', Email: 'ada@engines.example' }
const people = () => org.sandbox.people
const create = (object: string, values: Row, headers = {}) =>
  org.call('POST', `/sobjects/${object}`, values, headers)
const patch = (object: string, id: string, values: Row, headers = {}) =>
  org.call('PATCH', `/sobjects/${object}/${id}`, values, headers)
const codeOf = ({ json }: { json: unknown }) => (json as Row[])[0]?.['errorCode']
const valuesOf = (id: string) => org.sandbox.record(id)?.values ?? {}
const idOf = ({ json }: { json: unknown }) => String((json as Row)['id'])

describe('restricted picklists', () => {
  it('take their own values and null, and refuse any other', async () => {
    expect((await create('Lead', { ...LEAD, Grade__c: 'A' })).status).toBe(201)
    const refused = await create('Lead', { ...LEAD, Grade__c: 'Z' })
    expect(refused.json).toEqual([
      {
        errorCode: 'INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST',
        message: 'Grade: bad value for restricted picklist field: Z',
        fields: ['Grade__c'],
      },
    ])
    expect((await create('Lead', { ...LEAD, Rating: 'Lukewarm' })).status).toBe(201)
  })
})

describe('validation rules', () => {
  it('refuse with their own message until they are changed', async () => {
    const rule = {
      object: 'Lead',
      name: 'Score needs phone',
      when: [
        { field: 'Score__c', is: 'greater', value: 50 },
        { field: 'Phone', is: 'empty' },
      ],
      message: 'Call first.',
      field: 'Phone',
    } as const
    org.sandbox.rules.validations.set(rule)
    const refused = await create('Lead', { ...LEAD, Score__c: 70 })
    expect(refused.json).toEqual([
      {
        errorCode: 'FIELD_CUSTOM_VALIDATION_EXCEPTION',
        message: 'Call first.',
        fields: ['Phone'],
      },
    ])
    expect((await create('Lead', { ...LEAD, Score__c: 50 })).status).toBe(201)
    org.sandbox.rules.validations.remove('Lead', rule.name)
    expect((await create('Lead', { ...LEAD, Score__c: 70 })).status).toBe(201)
  })
})

describe('duplicate rules', () => {
  const set = (action: 'alert' | 'block') =>
    org.sandbox.rules.duplicates.set({
      name: 'Standard_Lead_Duplicate_Rule',
      object: 'Lead',
      against: ['Lead', 'Contact'],
      fields: ['Email'],
      action,
    })
  const ALLOW = { 'Sforce-Duplicate-Rule-Header': 'allowSave=true; includeRecordDetails=true' }

  it('tell a single create whom it doubles, under a misspelt name', async () => {
    const id = people().create('Contact', { LastName: 'L', Email: LEAD.Email })
    set('alert')
    const { status, json } = await create('Lead', LEAD)
    const message =
      "You're creating a duplicate record. We recommend you use an existing record instead."
    expect(status).toBe(400)
    expect(json).toEqual([
      {
        duplicateResut: {
          allowSave: true,
          duplicateRule: 'Standard_Lead_Duplicate_Rule',
          duplicateRuleEntityType: 'Lead',
          errorMessage: message,
          matchResults: [
            {
              entityType: 'Contact',
              errors: [],
              matchEngine: 'FuzzyMatchEngine',
              matchRecords: [
                {
                  additionalInformation: [],
                  fieldDiffs: [],
                  matchConfidence: 100,
                  record: {
                    attributes: {
                      type: 'Contact',
                      url: `/services/data/v67.0/sobjects/Contact/${id}`,
                    },
                    Id: id,
                  },
                },
              ],
              rule: 'Standard_Contact_Match_Rule_v1_1',
              size: 1,
              success: true,
            },
          ],
        },
        errorCode: 'DUPLICATES_DETECTED',
        message,
      },
    ])
  })

  it('fail rows of a call about many', async () => {
    await create('Lead', LEAD)
    set('alert')
    const records = [{ attributes: { type: 'Lead' }, ...LEAD }]
    const { json } = await org.call('POST', '/composite/sobjects', { records })
    expect(json).toEqual([
      {
        success: false,
        errors: [
          { statusCode: 'DUPLICATES_DETECTED', message: 'Use one of these records?', fields: [] },
        ],
      },
    ])
  })

  it.each([
    { action: 'alert', want: 201 },
    { action: 'block', want: 400 },
  ] as const)('of $action answer $want to who saves all the same', async ({ action, want }) => {
    await create('Lead', LEAD)
    set(action)
    expect((await create('Lead', LEAD, ALLOW)).status).toBe(want)
  })

  it('look at creates alone unless they are set to more', async () => {
    await create('Lead', LEAD)
    const other = idOf(await create('Lead', { ...LEAD, Email: 'b@engines.example' }))
    set('alert')
    expect((await patch('Lead', other, { Email: LEAD.Email })).status).toBe(204)
  })
})

describe('assignment rules', () => {
  it.each([
    { headers: {}, moves: true },
    { headers: { 'Sforce-Auto-Assign': 'FALSE' }, moves: false },
    { headers: { 'Sforce-Auto-Assign': 'TRUE' }, moves: true },
  ])('give leads away on update: $moves with $headers', async ({ headers, moves }) => {
    const { rep, integration } = org.sandbox.users
    const id = idOf(await create('Lead', LEAD, { 'Sforce-Auto-Assign': 'FALSE' }))
    org.sandbox.rules.assignment.set('Lead', rep)
    await patch('Lead', id, { Score__c: 5 }, headers)
    expect(valuesOf(id)['OwnerId']).toBe(moves ? rep : integration)
  })
})

describe('row locks', () => {
  const update = (ids: readonly string[]) =>
    org.call('PATCH', '/composite/sobjects', {
      records: ids.map((id) => ({
        attributes: { type: id.startsWith('00Q') ? 'Lead' : 'Contact' },
        id,
        Score__c: 5,
      })),
    })

  it('fail a row without naming a field, so many times as is set', async () => {
    const id = idOf(await create('Lead', LEAD))
    org.sandbox.rules.locks.add({ id, times: 2 })
    const message = 'unable to obtain exclusive access to this record'
    const { json } = await update([id])
    expect(json).toEqual([
      { success: false, errors: [{ statusCode: 'UNABLE_TO_LOCK_ROW', message }] },
    ])
    const single = await patch('Lead', id, { Score__c: 5 })
    expect([single.status, single.json]).toEqual([
      400,
      [{ message, errorCode: 'UNABLE_TO_LOCK_ROW', fields: [] }],
    ])
    expect((await update([id])).json).toMatchObject([{ success: true }])
  })

  it('of an account hold everything under it', async () => {
    const account = people().create('Account', { Name: 'Engines' })
    const inside = people().create('Contact', { LastName: 'A', AccountId: account })
    const outside = people().create('Contact', { LastName: 'B' })
    org.sandbox.rules.locks.add({ id: account })
    const { json } = await update([inside, outside])
    expect((json as Row[]).map(({ success }) => success)).toEqual([false, true])
  })

  it('hold a share of all rows, the same in every run, once each', async () => {
    const ids: string[] = []
    for (let place = 0; place < 400; place++) {
      ids.push(people().create('Lead', { LastName: `L${place}`, Company: 'X' }))
    }
    org.sandbox.rules.locks.add({ object: 'Lead', share: 0.05 })
    const first = [await update(ids.slice(0, 200)), await update(ids.slice(200))]
    const failed = first.flatMap(({ json }) => json as Row[]).filter(({ success }) => !success)
    expect(failed.length).toBeGreaterThan(5)
    expect(failed.length).toBeLessThan(45)
    const again = [await update(ids.slice(0, 200)), await update(ids.slice(200))]
    expect(again.flatMap(({ json }) => json as Row[]).every(({ success }) => success)).toBe(true)
  })
})

describe('a converted lead', () => {
  it('becomes a contact with its custom fields, and can no longer be written', async () => {
    const id = idOf(await create('Lead', { ...LEAD, Score__c: 80 }))
    const task = people().create('Task', { Subject: 'Call', WhoId: id })
    const made = people().convertLead(id, { opportunityName: 'Engines' })
    expect(valuesOf(id)).toMatchObject({
      IsConverted: true,
      Status: 'Closed - Converted',
      ConvertedDate: '2026-11-20',
      ConvertedContactId: made.contactId,
      ConvertedAccountId: made.accountId,
      ConvertedOpportunityId: made.opportunityId,
    })
    expect(valuesOf(made.contactId)).toMatchObject({
      LastName: 'Lovelace',
      Email: LEAD.Email,
      Score__c: 80,
      AccountId: made.accountId,
    })
    expect(valuesOf(made.accountId)).toMatchObject({ Name: 'Engines' })
    expect(valuesOf(task)).toMatchObject({ WhoId: made.contactId, AccountId: made.accountId })
    const refused = await patch('Lead', id, { Score__c: 5 })
    const message = 'cannot reference converted lead'
    expect(refused.json).toEqual([
      { errorCode: 'CANNOT_UPDATE_CONVERTED_LEAD', message, fields: [] },
    ])
    const late = await create('Task', { Subject: 'Call', WhoId: id })
    expect(codeOf(late)).toBe('CANNOT_UPDATE_CONVERTED_LEAD')
  })

  it('fills only what the contact does not know yet', async () => {
    const id = idOf(await create('Lead', { ...LEAD, Title: 'Countess', Score__c: 80 }))
    const account = people().create('Account', { Name: 'Engines' })
    const contact = people().create('Contact', {
      LastName: 'L',
      AccountId: account,
      Title: 'Ms',
    })
    people().convertLead(id, { accountId: account, contactId: contact })
    expect(valuesOf(contact)).toMatchObject({ Title: 'Ms', LastName: 'L', Score__c: 80 })
  })
})

describe('owners', () => {
  it.each([
    { object: 'Lead', values: LEAD, want: 'INACTIVE_OWNER_OR_USER' },
    { object: 'Contact', values: { LastName: 'x' }, want: 'INACTIVE_OWNER_OR_USER' },
    { object: 'Task', values: { Subject: 'x' }, want: 'INACTIVE_OWNER_OR_USER' },
    { object: 'Account', values: { Name: 'x' }, want: undefined },
    {
      object: 'Opportunity',
      values: { Name: 'x', StageName: 'Prospecting', CloseDate: '2026-12-31' },
      want: undefined,
    },
  ])('of a $object who left: $want', async ({ object, values, want }) => {
    const { inactive } = org.sandbox.users
    const answer = await create(object, { ...values, OwnerId: inactive })
    expect(want === undefined ? answer.status : codeOf(answer)).toBe(want ?? 201)
    if (want !== undefined) {
      expect((answer.json as Row[])[0]?.['message']).toContain(`inactive user [${inactive}]`)
    }
  })

  it('may be a queue only where it is enabled, and for a task since version 48', async () => {
    const leads = people().addQueue('Leads', ['Lead'])
    const tasks = people().addQueue('Tasks', ['Task'])
    expect((await create('Lead', { ...LEAD, OwnerId: leads })).status).toBe(201)
    expect((await create('Task', { Subject: 'x', OwnerId: tasks })).status).toBe(201)
    const refused = await create('Task', { Subject: 'x', OwnerId: leads })
    expect(refused.json).toEqual([
      {
        errorCode: 'FIELD_INTEGRITY_EXCEPTION',
        message: `Assigned To ID: id value of incorrect type: ${leads}`,
        fields: ['OwnerId'],
      },
    ])
    const old = await org.call('POST', '/services/data/v47.0/sobjects/Task', {
      Subject: 'x',
      OwnerId: tasks,
    })
    expect(codeOf(old)).toBe('FIELD_INTEGRITY_EXCEPTION')
    const contact = await create('Contact', { LastName: 'x', OwnerId: leads })
    expect(codeOf(contact)).toBe('FIELD_INTEGRITY_EXCEPTION')
  })
})

describe('references', () => {
  it('must lead to a record of the right object that is still there', async () => {
    const lead = idOf(await create('Lead', LEAD))
    const account = people().create('Account', { Name: 'x' })
    people().delete('Account', account)
    const to = async (id: string) =>
      codeOf(await create('Contact', { LastName: 'x', AccountId: id }))
    expect(await to(lead)).toBe('FIELD_INTEGRITY_EXCEPTION')
    expect(await to(account)).toBe('ENTITY_IS_DELETED')
    expect(await to(`${account.slice(0, 14)}9`)).toBe('INVALID_CROSS_REFERENCE_KEY')
  })
})

describe('tasks', () => {
  it('take their state from the status', async () => {
    const id = idOf(await create('Task', { Subject: 'Call', Priority: 'High' }))
    expect(valuesOf(id)).toMatchObject({
      Status: 'Not Started',
      IsClosed: false,
      IsHighPriority: true,
      TaskSubtype: 'Task',
    })
    clock += 60_000
    people().completeTask(id)
    expect(valuesOf(id)).toMatchObject({
      IsClosed: true,
      CompletedDateTime: '2026-11-20T10:01:00.000+0000',
    })
    clock += 60_000
    await patch('Task', id, { Subject: 'Called' })
    expect(valuesOf(id)['CompletedDateTime']).toBe('2026-11-20T10:01:00.000+0000')
    await patch('Task', id, { Status: 'In Progress' })
    expect(valuesOf(id)).toMatchObject({ IsClosed: false, CompletedDateTime: null })
  })

  it('about a lead are about nothing else, and know the account of a contact', async () => {
    const account = people().create('Account', { Name: 'x' })
    const contact = people().create('Contact', { LastName: 'x', AccountId: account })
    const lead = idOf(await create('Lead', LEAD))
    const both = await create('Task', { Subject: 'x', WhoId: lead, WhatId: account })
    expect(codeOf(both)).toBe('FIELD_INTEGRITY_EXCEPTION')
    const id = idOf(await create('Task', { Subject: 'x', WhoId: contact }))
    expect(valuesOf(id)).toMatchObject({ AccountId: account, WhoCount: 1, WhatCount: 0 })
  })

  it('are seen by queryAll alone once they are archived', async () => {
    const id = idOf(await create('Task', { Subject: 'x' }))
    people().archiveTask(id)
    const count = async (path: string) => {
      const { json } = await org.call('GET', `/${path}?q=SELECT+COUNT()+FROM+Task`)
      return (json as Row)['totalSize']
    }
    expect([await count('query'), await count('queryAll')]).toEqual([0, 1])
  })

  it('stand for calls and e-mails, events for meetings', () => {
    const contact = people().create('Contact', { LastName: 'x' })
    const call = people().log('call', { WhoId: contact })
    const meeting = people().log('meeting', { WhoId: contact, DurationInMinutes: 45 })
    expect(valuesOf(call)).toMatchObject({ TaskSubtype: 'Call', IsClosed: true })
    expect(valuesOf(meeting)).toMatchObject({
      EndDateTime: '2026-11-20T10:45:00.000+0000',
      ActivityDate: '2026-11-20',
    })
  })
})

describe('opportunities', () => {
  it('take their outcome from the stage and keep a history', async () => {
    const id = people().openOpportunity({ Amount: 200 })
    expect(valuesOf(id)).toMatchObject({
      IsClosed: false,
      Probability: 10,
      ExpectedRevenue: 20,
      ForecastCategory: 'Pipeline',
    })
    clock += 86_400_000
    people().closeOpportunity(id, 'won')
    expect(valuesOf(id)).toMatchObject({
      IsClosed: true,
      IsWon: true,
      Probability: 100,
      LastStageChangeDate: '2026-11-21T10:00:00.000+0000',
    })
    const history = org.sandbox.records('OpportunityHistory').map(({ values }) => values)
    expect(history.map(({ StageName }) => StageName)).toEqual(['Prospecting', 'Closed Won'])
    const fields = org.sandbox.records('OpportunityFieldHistory').map(({ values }) => values)
    expect(fields).toMatchObject([
      { Field: 'created' },
      { Field: 'StageName', OldValue: 'Prospecting', NewValue: 'Closed Won' },
    ])
    const refused = await patch('Opportunity', id, { IsWon: false })
    expect(codeOf(refused)).toBe('INVALID_FIELD_FOR_INSERT_UPDATE')
  })

  it('have one primary contact', async () => {
    const [a, b] = ['A', 'B'].map((LastName) => people().create('Contact', { LastName }))
    const id = people().openOpportunity({}, [a ?? '', b ?? ''])
    expect(valuesOf(id)['ContactId']).toBe(a)
    const roles = org.sandbox.records('OpportunityContactRole')
    await patch('OpportunityContactRole', roles[1]?.id ?? '', { IsPrimary: true })
    expect(valuesOf(id)['ContactId']).toBe(b)
    const primary = org.sandbox
      .records('OpportunityContactRole')
      .map(({ values }) => values['IsPrimary'])
    expect(primary).toEqual([false, true])
  })
})

describe('a merge', () => {
  it('leaves the winner, and the loser pointing at it', async () => {
    const [a, b] = ['A', 'B'].map((LastName) =>
      people().create('Lead', { LastName, Company: 'X', Phone: LastName === 'B' ? '1' : null }),
    )
    const [winner = '', loser = ''] = [a, b]
    const task = people().create('Task', { Subject: 'x', WhoId: loser })
    people().merge('Lead', winner, [loser])
    expect(valuesOf(winner)).toMatchObject({ LastName: 'A', Phone: '1' })
    expect(valuesOf(loser)).toMatchObject({ IsDeleted: true, MasterRecordId: winner })
    expect(valuesOf(task)['WhoId']).toBe(winner)
    expect(codeOf(await patch('Lead', loser, { Score__c: 1 }))).toBe('ENTITY_IS_DELETED')
  })
})

describe('person accounts', () => {
  it('are an account and a contact that say the same', async () => {
    await org.close()
    org = await startSalesforceSandbox({ personAccounts: true })
    const id = idOf(
      await create('Account', { LastName: 'Lovelace', FirstName: 'Ada', PersonEmail: LEAD.Email }),
    )
    const account = valuesOf(id)
    expect(account).toMatchObject({ IsPersonAccount: true, Name: 'Ada Lovelace' })
    const contact = String(account['PersonContactId'])
    expect(valuesOf(contact)).toMatchObject({
      IsPersonAccount: true,
      Email: LEAD.Email,
      AccountId: id,
    })
    await patch('Contact', contact, { Email: 'new@engines.example' })
    expect(valuesOf(id)['PersonEmail']).toBe('new@engines.example')
    expect((await create('Lead', { LastName: 'x' })).status).toBe(201)
  })
})
