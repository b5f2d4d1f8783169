import type { IncomingHttpHeaders } from 'node:http'
import type { ApiReply } from '../../reply-sender.ts'
import { badRequest } from '../salesforce-error.ts'
import type { Actor } from '../stored-row.ts'

/** What a call is for, as the log counts them. */
export type CallKind =
  | 'auth'
  | 'versions'
  | 'describe'
  | 'limits'
  | 'query'
  | 'read'
  | 'changes'
  | 'write'
  | 'bulk'

/** A request as an endpoint sees it. */
export interface ApiCall {
  readonly method: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The body as it came. */
  readonly text: string
  /** The address by which the org was called, without a path. */
  readonly origin: string
  /** `67.0`; empty where the path has none. */
  readonly apiVersion: string
  readonly actor: Actor
}

/** One method and path of Salesforce's API. */
export interface ApiEndpoint {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** An express path. */
  readonly path: string
  readonly kind: CallKind
  /** Needs no token, and does not count. */
  readonly isOpen?: boolean
  handle(call: ApiCall): ApiReply
}

/** Below `/services/data/vN`. */
export function dataEndpoint(
  method: ApiEndpoint['method'],
  path: string,
  kind: CallKind,
  handle: ApiEndpoint['handle'],
): ApiEndpoint {
  return { method, path: `/services/data/:version${path}`, kind, handle }
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The body as an object. @throws {SalesforceError} JSON_PARSER_ERROR. */
export function jsonBody(call: ApiCall): JsonObject {
  let body: unknown
  try {
    body = JSON.parse(call.text)
  } catch {
    throw badRequest(
      'JSON_PARSER_ERROR',
      'The HTTP entity body is required, but this request has no entity body or it is no JSON.',
    )
  }
  if (isObject(body)) return body
  throw badRequest('JSON_PARSER_ERROR', 'Unexpected token at the beginning of the body')
}

/** `allowSave=true; includeRecordDetails=false` and the like, with lower-case keys. */
export function headerOptions(value: string | string[] | undefined): ReadonlyMap<string, string> {
  const text = Array.isArray(value) ? value.join(';') : (value ?? '')
  return new Map(
    text.split(/[;,]/).map((part) => {
      const [key = '', given = ''] = part.split('=')
      return [key.trim().toLowerCase(), given.trim()] as const
    }),
  )
}
