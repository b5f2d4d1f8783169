import type { ApiReply } from '../reply-sender.ts'

/** A request as an endpoint sees it. */
export interface ApiCall {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: unknown
  /** Length of the body in characters, as it came. */
  readonly bodyLength: number
}

/** One method and path of HubSpot's API. */
export interface ApiEndpoint {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** An express path. */
  readonly path: string
  readonly kind: 'read' | 'write'
  handle(call: ApiCall): ApiReply
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The body as an object; anything else counts as an empty one, as HubSpot reads it. */
export function bodyObject(call: ApiCall): JsonObject {
  return isObject(call.body) ? call.body : {}
}

/** A query parameter that may be repeated or hold a comma-separated list. */
export function queryList(call: ApiCall, name: string): string[] {
  return call.query
    .getAll(name)
    .flatMap((value) => value.split(','))
    .map((value) => value.trim())
    .filter((value) => value !== '')
}

/** The strings of an array; anything else is an empty list. */
export function stringList(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** HubSpot takes ids as strings or numbers. */
export function readId(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
