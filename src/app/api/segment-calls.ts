import type { Request } from 'express'
import { z } from 'zod'

/** Calls of the Segment spec. */
export const CALL_TYPES = ['track', 'identify', 'group', 'page', 'screen', 'alias'] as const
export type CallType = (typeof CALL_TYPES)[number]

const object = z.looseObject({})
/** What the spec says of every call; the rest is kept as it comes. */
const call = z.looseObject({
  type: z.enum(CALL_TYPES).optional(),
  messageId: z.string().optional(),
  userId: z.union([z.string(), z.number()]).nullish(),
  anonymousId: z.string().nullish(),
  event: z.string().optional(),
  context: object.nullish(),
})
const batch = z.looseObject({
  batch: z.array(call).min(1).max(2500),
  context: object.nullish(),
  sentAt: z.unknown().optional(),
})

type Call = z.output<typeof call>

/**
 * The calls of one request, each with its type and with what the batch says for all of them.
 * @returns a sentence that says what is wrong when it is no call of the spec.
 */
export function messagesOf(type: CallType | 'batch', body: unknown): Call[] | string {
  if (type === 'batch') {
    const read = batch.safeParse(body)
    if (!read.success) return 'send the calls as a list in batch, each with its type'
    const { context, sentAt } = read.data
    const calls = read.data.batch.map((one) => ({
      ...(sentAt === undefined ? {} : { sentAt }),
      ...one,
      ...(context ? { context: { ...context, ...one.context } } : {}),
    }))
    return firstProblem(calls) ?? calls
  }
  const read = call.safeParse(body)
  if (!read.success) return `send one ${type} call as the spec has it`
  const { writeKey: _, ...rest } = read.data
  const calls = [{ ...rest, type }]
  return firstProblem(calls) ?? calls
}

function firstProblem(calls: readonly Call[]): string | null {
  for (const one of calls) {
    if (one.type === undefined) return 'each call of a batch needs its type'
    if (one.type === 'track' && !one.event) return 'a track call needs its event'
    if (!one.userId && !one.anonymousId) return 'a call needs a userId or an anonymousId'
    if (one.type === 'group' && !one['groupId']) return 'a group call needs its groupId'
  }
  return null
}

/** The write key is the user name of Basic authentication, or stands in the body. */
export function writeKeyOf(request: Request): string {
  const [scheme, given] = (request.headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() === 'basic' && given) {
    return Buffer.from(given, 'base64').toString('utf8').split(':')[0] ?? ''
  }
  const { writeKey } = (request.body ?? {}) as { writeKey?: unknown }
  return typeof writeKey === 'string' ? writeKey : ''
}
