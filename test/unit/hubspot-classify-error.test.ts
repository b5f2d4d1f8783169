import { describe, expect, it } from '@jest/globals'
import { type Broken, classifyError } from '../../connectors/crms/hubspot/classify-error.ts'
import type { Answer } from '../../connectors/crms/hubspot/wire-shapes.ts'

const place = { endpoint: 'POST contacts/batch/update', host: 'api.hubapi.com' }

function answer(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return { status, headers: { 'x-hubspot-correlation-id': 'c-1', ...headers }, body }
}

function limited(body: Record<string, unknown>, headers: Record<string, string> = {}): Answer {
  return answer(429, { status: 'error', correlationId: 'c-2', ...body }, headers)
}

function system(code: string, syscall: string): Broken {
  return { broken: Object.assign(new Error(`${syscall} ${code}`), { code, syscall }) }
}

function failure(ended: Answer | Broken) {
  const classified = classifyError(ended, place)
  if (classified.kind !== 'failed') throw new Error('expected a failed call')
  return classified
}

function refusal(ended: Answer) {
  const classified = classifyError(ended, place)
  if (classified.kind !== 'refused') throw new Error('expected a refusal')
  return classified.refusal
}

const secondly = { message: 'You have reached your secondly limit.' }
const rolling = {
  message: 'You have reached your ten_secondly_rolling limit.',
  errorType: 'RATE_LIMIT',
  policyName: 'TEN_SECONDLY_ROLLING',
}

describe('a pause asked for by HubSpot', () => {
  it.each([
    { name: 'lasts ten seconds for the rolling window', ended: limited(rolling), ms: 10_000 },
    {
      name: 'lasts the interval that the headers name',
      ended: limited(rolling, { 'x-hubspot-ratelimit-interval-milliseconds': '7000' }),
      ms: 7_000,
    },
    {
      name: 'lasts a second for the secondly policy',
      ended: limited({ ...secondly, policyName: 'SECONDLY' }),
      ms: 1_000,
    },
    {
      name: 'lasts a second for a search, whose answer names no policy',
      ended: limited({ ...secondly, category: 'RATE_LIMITS' }),
      ms: 1_000,
    },
    {
      name: 'lasts a quarter of an hour for the daily quota',
      ended: limited({ message: 'You have reached your daily limit.', policyName: 'DAILY' }),
      ms: 900_000,
    },
    { name: 'lasts ten seconds for a policy unheard of', ended: answer(429, null), ms: 10_000 },
    {
      name: 'is never shorter than Retry-After',
      ended: limited(secondly, { 'retry-after': '30' }),
      ms: 30_000,
    },
    { name: 'lasts two seconds for a lock', ended: answer(423, null), ms: 2_000 },
    {
      name: 'lasts as long as a migration says',
      ended: answer(477, null, { 'retry-after': '3600' }),
      ms: 3_600_000,
    },
  ])('$name', ({ ended, ms }) => {
    const { error, mayHaveHappened } = failure(ended)
    expect(error).toMatchObject({ kind: 'rate-limited', retryAfterMs: ms })
    expect(mayHaveHappened).toBe(false)
  })
})

describe('a call without a usable answer', () => {
  it.each([500, 502, 503, 504, 521, 523, 524, 408])(
    'HTTP %d may be repeated, but may have been carried out',
    (status) => {
      const { error, mayHaveHappened } = failure(answer(status, null))
      expect(error.kind).toBe('retryable')
      expect(mayHaveHappened).toBe(true)
    },
  )

  it.each([
    { name: 'refused connection', ended: system('ECONNREFUSED', 'connect'), happened: false },
    { name: 'unknown host', ended: system('ENOTFOUND', 'getaddrinfo'), happened: false },
    {
      name: 'refused connections to all addresses',
      ended: { broken: new AggregateError([system('ECONNREFUSED', 'connect').broken]) },
      happened: false,
    },
    {
      name: 'certificate of somebody else',
      ended: { broken: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } },
      happened: false,
    },
    { name: 'reset connection', ended: system('ECONNRESET', 'read'), happened: true },
    { name: 'something thrown that is no error', ended: { broken: 'x' }, happened: true },
  ])('$name: carried out perhaps = $happened', ({ ended, happened }) => {
    const { error, mayHaveHappened } = failure(ended)
    expect(error.kind).toBe('retryable')
    expect(error.message).toContain('api.hubapi.com')
    expect(mayHaveHappened).toBe(happened)
  })

  it('names the setting when the CRM cannot be reached', () => {
    const { error } = failure(system('ECONNREFUSED', 'connect'))
    expect(error.message).toContain('cannot be reached at api.hubapi.com')
    expect(error.message).toContain('HUBSPOT_BASE_URL')
  })
})

describe('a matter of configuration', () => {
  it('names the token when HubSpot does not accept it', () => {
    const { error } = failure(
      answer(401, {
        status: 'error',
        message: 'The OAuth token used to make this call expired 0 second(s) ago.',
        correlationId: '019cd9fe-d093-7d4f-99bc-45975fdcf7c6',
        category: 'EXPIRED_AUTHENTICATION',
      }),
    )
    expect(error.kind).toBe('config')
    expect(error.message).toContain('HUBSPOT_ACCESS_TOKEN')
    expect(error.message).toContain('EXPIRED_AUTHENTICATION')
    expect(error.message).toContain('019cd9fe-d093-7d4f-99bc-45975fdcf7c6')
    expect(error.message).not.toContain('OAuth')
  })

  it('names the missing scopes', () => {
    const { error } = failure(
      answer(403, {
        status: 'error',
        message: "This app hasn't been granted all required scopes to make this call.",
        category: 'MISSING_SCOPES',
        errors: [
          {
            message: 'One or more of the following scopes are required.',
            context: { requiredGranularScopes: ['crm.objects.contacts.write', 'no scope at all'] },
          },
        ],
      }),
    )
    expect(error.kind).toBe('config')
    expect(error.message).toContain('HUBSPOT_ACCESS_TOKEN needs one of crm.objects.contacts.write:')
  })

  it.each([404, 400, 301, 418])(
    'HTTP %d of something else than HubSpot names the address',
    (status) => {
      const { error } = failure(answer(status, null))
      expect(error.kind).toBe('config')
      expect(error.message).toContain('HUBSPOT_BASE_URL')
    },
  )
})

describe('a refusal', () => {
  it('is read from the list of errors', () => {
    const ended = answer(400, {
      status: 'error',
      message: 'This will be a human readable message with details about the error.',
      errors: [
        {
          message: 'discount was not a valid number',
          code: 'INVALID_INTEGER',
          context: { propertyName: ['discount'] },
        },
      ],
      category: 'VALIDATION_ERROR',
      correlationId: 'a43683b0-5717-4ceb-80b4-104d02915d8c',
    })
    expect(refusal(ended)).toMatchObject({
      status: 400,
      category: 'VALIDATION_ERROR',
      code: 'INVALID_INTEGER',
      property: 'discount',
      correlationId: 'a43683b0-5717-4ceb-80b4-104d02915d8c',
    })
  })

  it('is read from the array inside the message', () => {
    const embedded = [{ isValid: false, error: 'PROPERTY_DOESNT_EXIST', name: 'testproperty' }]
    const message = `Property values were not valid: ${JSON.stringify(embedded)}`
    expect(refusal(answer(400, { status: 'error', message }))).toMatchObject({
      code: 'PROPERTY_DOESNT_EXIST',
      property: 'testproperty',
      correlationId: 'c-1',
    })
  })

  it('is read from the older shape', () => {
    const validationResults = [{ isValid: false, error: 'INVALID_LONG', name: 'closedate' }]
    const body = { status: 'error', message: 'Property values were not valid', validationResults }
    expect(refusal(answer(400, body))).toMatchObject({
      code: 'INVALID_LONG',
      property: 'closedate',
    })
  })

  it('names the property of a task that is missing', () => {
    const body = {
      status: 'error',
      message: 'Error creating TASK. Some required properties were not set.',
      context: { properties: ['hs_timestamp'] },
      category: 'VALIDATION_ERROR',
    }
    expect(refusal(answer(400, body))).toMatchObject({ property: 'hs_timestamp', code: null })
  })

  it.each([
    {
      status: 'error',
      message: 'Contact already exists. Existing ID: 12345',
      category: 'CONFLICT',
    },
    {
      message: 'Contact already exists.',
      errors: [{ message: 'A contact already exists. Existing ID: 12345', in: 'email' }],
      status: 'error',
      category: 'OBJECT_ALREADY_EXISTS',
    },
  ])('names the record in the way', (body) => {
    expect(refusal(answer(409, body)).existingId).toBe('12345')
  })

  it('is a body that is too large, whoever says so', () => {
    expect(refusal(answer(413, null)).status).toBe(413)
  })
})

it('no failure holds what the vendor quoted', () => {
  const secret = 'pat-eu1-0000'
  const body = {
    status: 'error',
    message: `lee@xyz.example called with ${secret}`,
    category: 'lee@xyz.example',
    correlationId: 'lee@xyz.example',
    errors: [
      { message: secret, code: secret, context: { requiredGranularScopes: [`${secret} x`] } },
    ],
  }
  for (const status of [301, 401, 403, 408, 423, 429, 477, 500]) {
    const { error } = failure(answer(status, body, { 'x-hubspot-correlation-id': 'a@b.example' }))
    const everything = `${error.message} ${error.stack} ${JSON.stringify(error)}`
    expect(everything).not.toContain('lee@xyz')
    expect(everything).not.toContain(secret)
    expect(everything).not.toContain('a@b.example')
  }
})
