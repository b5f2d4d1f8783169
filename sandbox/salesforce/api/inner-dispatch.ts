import type { ApiReply } from '../../reply-sender.ts'
import { RowError, SalesforceError } from '../salesforce-error.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'

/** A call that stands inside another call. */
export interface InnerCall {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly body: unknown
  readonly headers: Readonly<Record<string, string>>
}

/** Answers inner calls by the same endpoints as outer ones. */
export function innerDispatch(
  endpoints: readonly ApiEndpoint[],
): (outer: ApiCall, inner: InnerCall) => ApiReply {
  return (outer, inner) => {
    const [path = '', search = ''] = inner.url.split('?')
    for (const endpoint of endpoints) {
      if (endpoint.isOpen || endpoint.method !== inner.method.toLowerCase()) continue
      const params = matchPath(endpoint.path, path)
      if (params === undefined) continue
      const call: ApiCall = {
        ...outer,
        method: inner.method.toUpperCase(),
        params,
        query: new URLSearchParams(search),
        headers: { ...outer.headers, ...lowered(inner.headers) },
        text: inner.body === undefined ? '' : JSON.stringify(inner.body),
      }
      return answered(endpoint, call)
    }
    const error = new SalesforceError(404, 'NOT_FOUND', 'The requested resource does not exist')
    return { status: 404, body: error.toBody() }
  }
}

function answered(endpoint: ApiEndpoint, call: ApiCall): ApiReply {
  try {
    const reply = endpoint.handle(call)
    if (typeof reply.body !== 'string') return reply
    return { ...reply, body: JSON.parse(reply.body) as unknown }
  } catch (error) {
    if (error instanceof SalesforceError) return { status: error.status, body: error.toBody() }
    if (error instanceof RowError) return { status: 400, body: [error.toItem()] }
    throw error
  }
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.replace(/\/$/, '').split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [place, part] of wanted.entries()) {
    const text = given[place] ?? ''
    if (part.startsWith(':')) params[part.slice(1)] = decodeURIComponent(text)
    else if (part.toLowerCase() !== text.toLowerCase()) return undefined
  }
  return params
}

function lowered(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}
