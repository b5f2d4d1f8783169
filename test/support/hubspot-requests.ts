import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import { HUBSPOT_ENDPOINTS, type HubspotEndpoint } from './hubspot-endpoints.ts'

/** One request as it stood on the wire. */
interface Sent {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly body: string
  readonly contentType: string | undefined
}

/** Holds every request that passes against the description of its endpoint. */
export interface RequestCheck {
  /** To be mounted before the stand-in. */
  readonly handlers: readonly RequestHandler[]
  /** Names of the endpoints that were called so far, with the form of the path. */
  seen(): ReadonlySet<string>
  /** For a test that sends something wrong on purpose. */
  forgive(): void
  /** @throws when a request was not as HubSpot's documentation says. */
  assertClean(): void
}

export function createRequestCheck(): RequestCheck {
  const seen = new Set<string>()
  const wrong = new Set<string>()
  const check = (request: Request, _response: Response, next: NextFunction) => {
    const url = new URL(request.originalUrl, 'http://hubspot')
    const sent: Sent = {
      method: request.method,
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      body: typeof request.body === 'string' ? request.body : '',
      contentType: request.headers['content-type'],
    }
    const found = findEndpoint(sent)
    if (found) {
      seen.add(`${found.form} ${found.endpoint.name}`)
      for (const problem of problemsOf(sent, found.endpoint)) {
        wrong.add(`${sent.method} ${sent.path}: ${problem}`)
      }
    } else if (/^\/(crm|account-info|oauth|events)\//.test(sent.path) && !isPage(sent.path)) {
      wrong.add(`${sent.method} ${sent.path} is not in test/support/hubspot-endpoints.ts`)
    }
    next()
  }
  return {
    handlers: [express.text({ type: () => true, limit: '20mb' }), check],
    seen: () => seen,
    forgive: () => wrong.clear(),
    assertClean() {
      if (wrong.size === 0) return
      const lines = [...wrong].join('\n')
      wrong.clear()
      throw new Error(`requests that HubSpot's documentation does not know:\n${lines}`)
    },
  }
}

/** Where a person lets an app in: a page of HubSpot, not of its API. */
const isPage = (path: string): boolean => path === '/oauth/authorize'

function findEndpoint({ method, path }: Sent) {
  for (const endpoint of HUBSPOT_ENDPOINTS) {
    if (endpoint.method !== method) continue
    for (const form of ['numbered', 'dated'] as const) {
      if (isPath(endpoint[form], path)) return { endpoint, form }
    }
  }
  return undefined
}

/** As paths name them; never in the singular. */
const OBJECTS: ReadonlySet<string> = new Set([
  ...['contacts', 'companies', 'deals', 'tasks', 'calls', 'emails', 'meetings', 'notes'],
])

function isPath(template: string, path: string): boolean {
  const wanted = template.split('/')
  const parts = path.split('/')
  return (
    parts.length === wanted.length &&
    wanted.every((part, index) => {
      const given = decodeURIComponent(parts[index] ?? '')
      if (part === ':version') return /^\d{4}-(03|09)$/.test(given)
      if (part === ':object' || part === ':from' || part === ':to') return OBJECTS.has(given)
      if (part === ':objectTypeId') return /^0-[12]$/.test(given)
      if (part === ':listId') return /^\d+$/.test(given)
      return part.startsWith(':') ? given !== '' : part === given
    })
  )
}

/** What is wrong with a request, without any value of it. */
export function problemsOf(sent: Sent, endpoint: HubspotEndpoint): string[] {
  const problems: string[] = []
  const hold = (what: string, result: ReturnType<HubspotEndpoint['query']['safeParse']>) => {
    for (const issue of result.error?.issues ?? []) {
      problems.push(`${what} ${issue.path.join('.')}: ${issue.message}`)
    }
  }
  hold('query', endpoint.query.safeParse(sent.query))
  if (!endpoint.body) return sent.body === '' ? problems : [...problems, 'it takes no body']
  const form = endpoint.isForm === true
  const wanted = form ? 'application/x-www-form-urlencoded' : 'application/json'
  if (!sent.contentType?.startsWith(wanted)) problems.push(`the body is no ${wanted}`)
  if (sent.body.length > (endpoint.maxBody ?? Number.POSITIVE_INFINITY)) {
    problems.push('the body is too long')
  }
  const body = form ? Object.fromEntries(new URLSearchParams(sent.body)) : parse(sent.body)
  hold('body', endpoint.body.safeParse(body))
  return problems
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
