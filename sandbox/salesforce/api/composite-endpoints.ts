import type { ApiReply } from '../../reply-sender.ts'
import type { OrgState } from '../org-state.ts'
import { badRequest } from '../salesforce-error.ts'
import {
  type ApiCall,
  type ApiEndpoint,
  dataEndpoint,
  isObject,
  type JsonObject,
  jsonBody,
} from './api-endpoint.ts'
import { type InnerCall, innerDispatch } from './inner-dispatch.ts'

const MAX_CALLS = 25
const MAX_GRAPHS = 75
const MAX_NODES = 500

interface NamedCall extends InnerCall {
  readonly referenceId: string
}

interface NamedReply {
  readonly referenceId: string
  readonly reply: ApiReply
}

/** Several calls in one, which count as one. */
export function compositeEndpoints(
  state: OrgState,
  endpoints: readonly ApiEndpoint[],
): ApiEndpoint[] {
  const composite = new Composite(state, endpoints)
  return [
    dataEndpoint('post', '/composite', 'write', (call) => {
      const body = jsonBody(call)
      const calls = readCalls(body['compositeRequest'], MAX_CALLS)
      const { replies } = composite.run(call, calls, body['allOrNone'] === true)
      return { status: 200, body: { compositeResponse: replies.map(showReply) } }
    }),
    dataEndpoint('post', '/composite/graph', 'write', (call) => composite.graphs(call)),
    dataEndpoint('post', '/composite/batch', 'write', (call) => composite.batch(call)),
  ]
}

class Composite {
  private readonly state: OrgState
  private readonly dispatch: ReturnType<typeof innerDispatch>

  constructor(state: OrgState, endpoints: readonly ApiEndpoint[]) {
    this.state = state
    this.dispatch = innerDispatch(endpoints)
  }

  run(
    call: ApiCall,
    calls: readonly NamedCall[],
    allOrNone: boolean,
  ): { readonly replies: readonly NamedReply[]; readonly isGood: boolean } {
    return this.state.transact(call.actor, (tx) => {
      const start = tx.mark()
      const answers = new Map<string, unknown>()
      const replies: NamedReply[] = []
      for (const one of calls) {
        const isStopped = allOrNone && replies.some(({ reply }) => reply.status >= 400)
        const reply = isStopped ? halted() : this.dispatch(call, resolved(one, answers))
        answers.set(one.referenceId, reply.body)
        replies.push({ referenceId: one.referenceId, reply })
      }
      const isGood = replies.every(({ reply }) => reply.status < 400)
      if (isGood || !allOrNone) return { replies, isGood }
      tx.rollback(start)
      const undone = replies.map(({ referenceId, reply }) => ({
        referenceId,
        reply: reply.status < 400 ? halted() : reply,
      }))
      return { replies: undone, isGood }
    })
  }

  graphs(call: ApiCall): ApiReply {
    const { graphs } = jsonBody(call)
    if (!Array.isArray(graphs) || graphs.length > MAX_GRAPHS) {
      throw badRequest('LIMIT_EXCEEDED', `at most ${MAX_GRAPHS} graphs`)
    }
    const shown = graphs.filter(isObject).map((graph) => {
      const calls = readCalls(graph['compositeRequest'], MAX_NODES)
      const { replies, isGood } = this.run(call, calls, true)
      return {
        graphId: graph['graphId'],
        graphResponse: { compositeResponse: replies.map(showReply) },
        isSuccessful: isGood,
      }
    })
    return { status: 200, body: { graphs: shown } }
  }

  batch(call: ApiCall): ApiReply {
    const body = jsonBody(call)
    const requests = listOf(body['batchRequests'], MAX_CALLS)
    const results: { statusCode: number; result: unknown }[] = []
    for (const request of requests) {
      const hasErrors = results.some(({ statusCode }) => statusCode >= 400)
      if (hasErrors && body['haltOnError'] === true) {
        results.push({ statusCode: 412, result: halted().body })
        continue
      }
      const url = String(request['url'] ?? '')
      const full = url.startsWith('/') ? url : `/services/data/${url}`
      const reply = this.dispatch(call, {
        method: String(request['method'] ?? 'GET'),
        url: full,
        body: request['richInput'],
        headers: {},
      })
      results.push({ statusCode: reply.status, result: reply.body ?? null })
    }
    const hasErrors = results.some(({ statusCode }) => statusCode >= 400)
    return { status: 200, body: { hasErrors, results } }
  }
}

function halted(): ApiReply {
  return {
    status: 400,
    body: [
      {
        errorCode: 'PROCESSING_HALTED',
        message:
          'The transaction was rolled back since another operation in the same transaction failed.',
      },
    ],
  }
}

function showReply({ referenceId, reply }: NamedReply): unknown {
  const { status, body = null, headers = {} } = reply
  const httpHeaders = headers['location'] === undefined ? {} : { Location: headers['location'] }
  return { body, httpHeaders, httpStatusCode: status, referenceId }
}

function readCalls(value: unknown, most: number): NamedCall[] {
  return listOf(value, most).map((item) => {
    const { method, url, referenceId, body, httpHeaders } = item
    if (typeof method !== 'string' || typeof url !== 'string' || typeof referenceId !== 'string') {
      throw badRequest('JSON_PARSER_ERROR', 'method, url and referenceId are required')
    }
    const headers = isObject(httpHeaders)
      ? Object.fromEntries(
          Object.entries(httpHeaders).map(([name, given]) => [name, String(given)]),
        )
      : {}
    return { method, url, referenceId, body, headers }
  })
}

function listOf(value: unknown, most: number): JsonObject[] {
  if (!Array.isArray(value) || !value.every(isObject)) {
    throw badRequest('JSON_PARSER_ERROR', 'a list of requests is required')
  }
  if (value.length > most) {
    throw badRequest('LIMIT_EXCEEDED', `Limit of ${most} subrequests exceeded`)
  }
  return value
}

const REFERENCE = /@\{(\w+)\.([^}]+)\}/g

/** `@{ref.id}` stands for what an earlier call answered. */
function resolved(call: NamedCall, answers: ReadonlyMap<string, unknown>): NamedCall {
  const fill = (text: string): string =>
    text.replace(REFERENCE, (_, name: string, path: string) => {
      const found = path
        .split(/[.[\]]+/)
        .filter(Boolean)
        .reduce<unknown>(
          (at, part) =>
            typeof at === 'object' && at !== null
              ? (at as Record<string, unknown>)[part]
              : undefined,
          answers.get(name),
        )
      if (found === undefined) {
        throw badRequest('PROCESSING_HALTED', `Invalid reference specified: ${name}.${path}`)
      }
      return String(found)
    })
  return { ...call, url: fill(call.url), body: filled(call.body, fill) }
}

function filled(value: unknown, fill: (text: string) => string): unknown {
  if (typeof value === 'string') return fill(value)
  if (Array.isArray(value)) return value.map((item) => filled(item, fill))
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(item, fill)]))
}
