import {
  HttpMethod,
  IsomorphicFetchHttpLibrary,
  RequestContext,
} from '@hubspot/api-client/lib/codegen/crm/properties/http/http.js'
import type { CallOptions } from './transport.ts'

/** A request that the official client has no method for. */
export interface RawRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Begins with a slash; a numbered version, which the transport may turn into a dated one. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Sent in the body, never in the address, where logs would keep it. */
  readonly form?: Readonly<Record<string, string>>
}

/** Makes requests over the client's own HTTP layer, so that the transport sees them like all others. */
export function openRawCalls(basePath: string) {
  const http = new IsomorphicFetchHttpLibrary()
  return {
    async send(raw: RawRequest, { middleware }: CallOptions): Promise<void> {
      let request = new RequestContext(`${basePath}${raw.path}`, HttpMethod[raw.method])
      for (const [name, value] of Object.entries(raw.query ?? {})) {
        request.setQueryParam(name, value)
      }
      request.setHeaderParam('Accept', 'application/json')
      setBody(request, raw)
      for (const recorder of middleware) request = await recorder.pre(request)
      let response = await http.send(request).toPromise()
      for (const recorder of middleware) response = await recorder.post(response)
    },
  }
}

function setBody(request: RequestContext, { json, form }: RawRequest): void {
  if (form !== undefined) {
    request.setHeaderParam('Content-Type', 'application/x-www-form-urlencoded')
    request.setBody(new URLSearchParams(form).toString())
  } else if (json !== undefined) {
    request.setHeaderParam('Content-Type', 'application/json')
    request.setBody(JSON.stringify(json))
  }
}
