import type { ApiReply } from '../reply-sender.ts'
import type { ApiCall, JsonObject } from './api-endpoint.ts'
import { bodyObject, isObject } from './api-endpoint.ts'
import { invalid, invalidJson } from './hubspot-error.ts'

/**
 * The inputs of a batch call. A body without `inputs` is taken for an empty batch: HubSpot answers
 * 200 and COMPLETE, and does nothing.
 */
export function batchInputs(call: ApiCall, limit: number): JsonObject[] {
  const inputs = bodyObject(call)['inputs']
  if (!Array.isArray(inputs)) return []
  if (inputs.length > limit) {
    throw invalid(
      `The maximum number of inputs supported in a batch request is ${limit}. Please reduce the number of items and try again`,
    )
  }
  return inputs.map((input: unknown) => {
    if (!isObject(input)) throw invalidJson('an input is not an object')
    return input
  })
}

/** The answer to a batch call; 207 as soon as one input failed. */
export function batchAnswer(
  status: 200 | 201,
  results: readonly unknown[],
  now: number,
  errors: readonly Readonly<Record<string, unknown>>[] = [],
): ApiReply {
  const time = new Date(now).toISOString()
  const failures = errors.length === 0 ? {} : { numErrors: errors.length, errors }
  return {
    status: errors.length === 0 ? status : 207,
    body: { status: 'COMPLETE', results, ...failures, startedAt: time, completedAt: time },
  }
}

/** What HubSpot answers when there was nothing in the batch. */
export function emptyBatch(now: number): ApiReply {
  return batchAnswer(200, [], now)
}
