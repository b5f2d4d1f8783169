import { z } from 'zod'
import { RetryableError } from '../../../src/core/errors.ts'
import { type Session, sendOrThrow } from './session.ts'

const ENDPOINT = 'GET account-info/details'
const PATH = '/account-info/v3/details'
const detailsShape = z.object({ portalId: z.union([z.string(), z.number()]).transform(String) })

/** Structurally what the transport's own middleware sees of a request. */
interface WireRequest {
  getUrl(): string
  setUrl(url: string): void
}

/**
 * The id of the portal. The client knows no such call, but sends any of its own wherever it is told to: so
 * this one goes the way of all others, with token, deadline and report.
 */
export async function readAccountId(session: Session, signal: AbortSignal): Promise<string> {
  const elsewhere = {
    pre: async <Request extends WireRequest>(request: Request): Promise<Request> => {
      request.setUrl(`${request.getUrl().split('/crm/')[0]}${PATH}`)
      return request
    },
    post: async <Response>(response: Response): Promise<Response> => response,
  }
  const body = await sendOrThrow(
    session,
    {
      kind: 'read',
      endpoint: ENDPOINT,
      invoke: ({ middleware, ...options }) =>
        session.apis.owners.getPage(undefined, undefined, 1, false, {
          ...options,
          middleware: [...middleware, elsewhere],
        }),
    },
    signal,
  )
  const details = detailsShape.safeParse(body)
  if (details.success) return details.data.portalId
  throw new RetryableError(`HubSpot's answer to ${ENDPOINT} could not be read.`)
}
