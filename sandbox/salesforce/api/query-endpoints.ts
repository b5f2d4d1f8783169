import type { ApiReply } from '../../reply-sender.ts'
import type { OrgState } from '../org-state.ts'
import { badRequest } from '../salesforce-error.ts'
import { QueryPages } from '../soql/query-pages.ts'
import { runQuery } from '../soql/run-query.ts'
import { type ApiCall, type ApiEndpoint, dataEndpoint, headerOptions } from './api-endpoint.ts'

const JSON_TEXT = { 'content-type': 'application/json;charset=UTF-8' }

/** SOQL, page by page. */
export function queryEndpoints(state: OrgState): ApiEndpoint[] {
  const pages = new QueryPages()
  const answer = (call: ApiCall, all: boolean): ApiReply => {
    const soql = call.query.get('q')
    if (soql === null) throw badRequest('MALFORMED_QUERY', 'SOQL statement cannot be empty')
    const wish = headerOptions(call.headers['sforce-query-options']).get('batchsize')
    const { apiVersion } = call
    const result = runQuery(state, soql, { all, apiVersion })
    const size = wish === undefined ? undefined : Number(wish)
    return { status: 200, headers: JSON_TEXT, body: pages.first(result, apiVersion, size) }
  }
  const next = (call: ApiCall): ApiReply => ({
    status: 200,
    headers: JSON_TEXT,
    body: pages.next(call.params['locator'] ?? '', call.apiVersion),
  })
  return [
    dataEndpoint('get', '/query', 'query', (call) => answer(call, false)),
    dataEndpoint('get', '/queryAll', 'query', (call) => answer(call, true)),
    dataEndpoint('get', '/query/:locator', 'query', next),
    dataEndpoint('get', '/queryAll/:locator', 'query', next),
  ]
}
