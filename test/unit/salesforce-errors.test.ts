import { describe, expect, it } from '@jest/globals'
import { readRowError } from '../../connectors/crms/salesforce/bulk-csv.ts'
import { classifyError } from '../../connectors/crms/salesforce/classify-error.ts'
import { describeRowError, rowErrorKind } from '../../connectors/crms/salesforce/error-codes.ts'
import type { Answer } from '../../connectors/crms/salesforce/http-exchange.ts'
import { limitsSaid } from '../../connectors/crms/salesforce/limits-said.ts'
import { parseWireErrors } from '../../connectors/crms/salesforce/wire-errors.ts'

const PLACE = { endpoint: 'GET query', host: 'acme.example', credential: 'SALESFORCE_ACCESS_TOKEN' }

function answer(status: number, body: unknown, headers: Answer['headers'] = {}): Answer {
  return { status, headers, text: typeof body === 'string' ? body : JSON.stringify(body) }
}

const errors = (errorCode: string, message = 'words of Salesforce') => [{ errorCode, message }]

describe('an answer that is no success', () => {
  it.each([
    { status: 401, body: errors('INVALID_SESSION_ID'), want: 'config', happened: false },
    { status: 403, body: errors('REQUEST_LIMIT_EXCEEDED'), want: 'rate-limited', happened: false },
    { status: 403, body: errors('API_DISABLED_FOR_ORG'), want: 'config', happened: false },
    { status: 403, body: errors('INSUFFICIENT_ACCESS'), want: 'config', happened: false },
    { status: 429, body: '', want: 'rate-limited', happened: false },
    { status: 500, body: errors('UNKNOWN_EXCEPTION'), want: 'retryable', happened: true },
    { status: 503, body: errors('SERVER_UNAVAILABLE'), want: 'retryable', happened: true },
    { status: 503, body: '<html>down</html>', want: 'retryable', happened: true },
    { status: 400, body: errors('UNABLE_TO_LOCK_ROW'), want: 'retryable', happened: false },
    { status: 400, body: errors('QUERY_TIMEOUT'), want: 'retryable', happened: false },
    { status: 200 + 102, body: '', want: 'config', happened: false },
    { status: 404, body: '<html>no such page</html>', want: 'config', happened: false },
  ])('$status is $want', ({ status, body, want, happened }) => {
    const failure = classifyError(answer(status, body), PLACE)
    if (failure.kind !== 'failed') throw new Error('expected a failed call')
    expect([failure.error.kind, failure.mayHaveHappened]).toEqual([want, happened])
    expect(failure.error.message).not.toContain('words of Salesforce')
    expect(failure.error.message).toContain('GET query')
  })

  it.each([
    { status: 400, code: 'INVALID_FIELD' },
    { status: 400, code: 'JSON_PARSER_ERROR' },
    { status: 404, code: 'NOT_FOUND' },
  ])('$status $code is a refusal of what was sent', ({ status, code }) => {
    expect(classifyError(answer(status, errors(code)), PLACE)).toMatchObject({
      kind: 'refused',
      errors: [{ code }],
    })
  })

  it('that a new login does not mend says so', () => {
    const body = errors('INVALID_SESSION_ID', 'This session is not valid for use with the REST API')
    const failure = classifyError(answer(401, body), PLACE)
    if (failure.kind !== 'failed') throw new Error('expected a failed call')
    expect(failure.error.message).toContain('IP ranges')
  })

  it('of a dead line says whether anything was sent', () => {
    const refused = Object.assign(new Error('x'), { code: 'ECONNREFUSED', syscall: 'connect' })
    expect(classifyError({ broken: refused }, PLACE)).toMatchObject({ mayHaveHappened: false })
    const reset = Object.assign(new Error('x'), { code: 'ECONNRESET', syscall: 'read' })
    expect(classifyError({ broken: reset }, PLACE)).toMatchObject({ mayHaveHappened: true })
  })
})

describe('the error of one record', () => {
  it.each([
    ['UNABLE_TO_LOCK_ROW', 'x', 'locked'],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'trigger: UNABLE_TO_LOCK_ROW, unable', 'locked'],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'trigger: Too many SOQL queries: 101', 'locked'],
    ['CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY', 'trigger: nobody may', 'refused'],
    ['CANNOT_UPDATE_CONVERTED_LEAD', 'cannot reference converted lead', 'converted'],
    ['ENTITY_IS_DELETED', 'entity is deleted', 'absent'],
    ['DUPLICATES_DETECTED', 'Use one of these records?', 'duplicate'],
    ['REQUEST_LIMIT_EXCEEDED', 'x', 'limit'],
    ['FIELD_CUSTOM_VALIDATION_EXCEPTION', 'x', 'refused'],
    ['INACTIVE_OWNER_OR_USER', 'x', 'refused'],
  ])('%s (%s) is %s', (code, message, want) => {
    expect(rowErrorKind({ code, message, fields: [] })).toBe(want)
  })

  it('is read by either name of its code', () => {
    expect(parseWireErrors([{ statusCode: 'A_CODE', message: 'm' }])).toMatchObject([
      { code: 'A_CODE' },
    ])
    expect(parseWireErrors({ errorCode: 'B_CODE', message: 'm' })).toMatchObject([
      { code: 'B_CODE' },
    ])
    expect(parseWireErrors('<html>')).toEqual([])
  })

  it('is told without what was sent, and without the address of anybody else', () => {
    const message = 'Anna Secret has bob@acme.example already'
    const error = { code: 'DUPLICATE_VALUE', message, fields: ['PQL_Person_Id__c'] }
    const told = describeRowError(error, ['Anna Secret'])
    expect(told).toBe('DUPLICATE_VALUE (PQL_Person_Id__c): … has … already')
  })

  it.each([
    [
      'REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --',
      {
        code: 'REQUIRED_FIELD_MISSING',
        message: 'Required fields are missing: [Name]',
        fields: ['Name'],
      },
    ],
    [
      'UNABLE_TO_LOCK_ROW:unable to obtain exclusive access:--',
      { code: 'UNABLE_TO_LOCK_ROW', fields: [] },
    ],
    ['SOMETHING_ELSE', { code: 'SOMETHING_ELSE' }],
  ])('of a job is read: %s', (text, want) => {
    expect(readRowError(text)).toMatchObject(want)
  })
})

describe('what Salesforce says of its limits', () => {
  it.each([
    ['api-usage=18/5000', { calls: 5_000, left: 4_982 }],
    ['api-usage=100018/100000; api-bursts=1/750', { calls: 100_000, left: 0 }],
    ['per-app-api-usage=17/250(appName=x); api-usage=25/100', { calls: 100, left: 75 }],
  ])('%s', (header, day) => {
    expect(limitsSaid(answer(200, '', { 'sforce-limit-info': header }))).toEqual({ day })
  })

  it('is nothing where it says nothing', () => {
    expect(limitsSaid(answer(200, ''))).toEqual({})
    const app = { 'sforce-limit-info': 'per-app-api-usage=17/250(appName=x)' }
    expect(limitsSaid(answer(200, '', app))).toEqual({})
  })

  it('pauses the org when its calls are used up', () => {
    const said = limitsSaid(answer(403, errors('REQUEST_LIMIT_EXCEEDED')))
    expect(said.refused?.of).toBe('account')
    expect(said.refused?.pauseMs).toBeGreaterThan(60_000)
  })
})
