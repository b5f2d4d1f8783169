import { z } from 'zod'
import type { AccessTokens } from '../../../src/core/ports/access-tokens.ts'
import type { CrmNeeds, Finding } from '../../../src/core/ports/crm-check.ts'
import { STATIC_TOKEN } from './classify-error.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import type { RawRequest } from './raw-calls.ts'
import type { Session } from './session.ts'

/** A scope that is needed, and a call that shows whether it is there without changing anything. */
interface NeededScope {
  readonly scope: string
  readonly why: string
  readonly probe: RawRequest
}

/** An empty batch does nothing; it is refused for want of a scope all the same. */
const EMPTY_BATCH = { inputs: [] }

/** The scopes that a mapping needs, and no others. `setUp`: those that only provisioning needs too. */
export function scopesFor(needs: CrmNeeds, setUp: boolean): string[] {
  const scopes = neededScopes(needs, () => setUp).map(({ scope }) => scope)
  return needs.engagements?.includes('email') ? [...scopes, EMAIL_SCOPE] : scopes
}

/** HubSpot's for what e-mails say; calls and meetings go by those of contacts and companies. */
const EMAIL_SCOPE = 'sales-email-read'
const ENGAGEMENT_PATHS = { call: 'calls', email: 'emails', meeting: 'meetings' } as const

/**
 * HubSpot does not say for certain which scopes logged activities need: each kind is read once, whatever
 * scopes the token lists, and what HubSpot asks for is told.
 */
export async function engagementFindings(
  session: Session,
  { engagements = [] }: CrmNeeds,
  signal: AbortSignal,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const kind of engagements) {
    const path = ENGAGEMENT_PATHS[kind]
    const refused = await refusalOfProbe(session, readScope(path).probe, signal)
    if (refused === null) continue
    findings.push({
      level: 'error',
      about: 'scopes',
      what: `${path}, which first-contact looks at, cannot be read: ${refused}`,
      mend: `add the scope in HubSpot and connect again, or leave ${kind} out of first-contact.kinds`,
    })
  }
  return findings
}

function neededScopes(
  needs: CrmNeeds,
  needsSetUp: (object: CrmNeeds['objects'][number]['object']) => boolean,
): NeededScope[] {
  const all = needs.objects.flatMap(({ object }): NeededScope[] => {
    const path = OBJECT_PATHS[object]
    const setUp: NeededScope = {
      scope: `crm.schemas.${path}.write`,
      why: `create properties of ${path}`,
      probe: { method: 'POST', path: `/crm/v3/properties/${path}/batch/create`, json: EMPTY_BATCH },
    }
    return [readScope(path), writeScope(path), ...(needsSetUp(object) ? [setUp] : [])]
  })
  // HubSpot has no scope of tasks: they go by those of contacts.
  const tasks = needs.tasks ? [readScope('contacts'), writeScope('contacts')] : []
  const deals = needs.deals ? [readScope('deals')] : []
  const lists = (needs.groups?.length ?? 0) > 0 ? LISTS : []
  const events = (needs.events?.length ?? 0) > 0 ? [EVENTS] : []
  const distinct = new Map(
    [...all, ...tasks, ...deals, ...lists, ...events, OWNERS].map((needed) => [
      needed.scope,
      needed,
    ]),
  )
  return [...distinct.values()]
}

const OWNERS: NeededScope = {
  scope: 'crm.objects.owners.read',
  why: 'read owners',
  probe: { method: 'GET', path: '/crm/v3/owners/', query: { limit: '1' } },
}

/** Nobody is put into a list that there is not, and what says nothing is no event. */
const LISTS: readonly NeededScope[] = [
  {
    scope: 'crm.lists.read',
    why: 'see the lists that playbooks name',
    probe: { method: 'GET', path: '/crm/v3/lists/0' },
  },
  {
    scope: 'crm.lists.write',
    why: 'put records into lists',
    probe: { method: 'PUT', path: '/crm/v3/lists/0/memberships/add', json: [] },
  },
]
const EVENTS: NeededScope = {
  scope: 'analytics.behavioral_events.send',
  why: 'send custom events',
  probe: { method: 'POST', path: '/events/v3/send', json: {} },
}

function readScope(path: string): NeededScope {
  return {
    scope: `crm.objects.${path}.read`,
    why: `find and read ${path}`,
    probe: {
      method: 'GET',
      path: `/crm/v3/objects/${path}`,
      query: { limit: '1', properties: 'hs_object_id' },
    },
  }
}

function writeScope(path: string): NeededScope {
  return {
    scope: `crm.objects.${path}.write`,
    why: `write ${path}`,
    probe: { method: 'POST', path: `/crm/v3/objects/${path}/batch/update`, json: EMPTY_BATCH },
  }
}

const tokenInfoShape = z.object({ scopes: z.array(z.string()) })

/** The scopes of the token as far as HubSpot tells them; null when it does not. */
export async function readScopes(
  session: Session,
  tokens: AccessTokens,
  signal: AbortSignal,
): Promise<readonly string[] | null> {
  if (tokens.name !== STATIC_TOKEN) return tokens.scopes(signal)
  const tokenKey = await tokens.get(signal)
  const path = '/oauth/v2/private-apps/get/access-token-info'
  const result = await session.send(
    {
      kind: 'read',
      endpoint: 'POST oauth/access-token-info',
      invoke: (options) =>
        session.apis.raw.send({ method: 'POST', path, json: { tokenKey } }, options),
    },
    signal,
  )
  return result.ok ? (tokenInfoShape.safeParse(result.answer.body).data?.scopes ?? null) : null
}

/** Names every scope that is needed and missing. Without a list of scopes, each is tried with a call that does nothing. */
export async function scopeFindings(
  session: Session,
  needs: CrmNeeds,
  known: readonly string[] | null,
  needsSetUp: (object: CrmNeeds['objects'][number]['object']) => boolean,
  signal: AbortSignal,
): Promise<Finding[]> {
  const missing: NeededScope[] = []
  for (const needed of neededScopes(needs, needsSetUp)) {
    const isThere = known ? known.includes(needed.scope) : await probe(session, needed, signal)
    if (!isThere) missing.push(needed)
  }
  if (missing.length === 0) {
    const how = known ? '' : ' (HubSpot does not list them for this token; each was tried)'
    return [
      { level: 'ok', about: 'scopes', what: `all that are needed are there${how}`, mend: null },
    ]
  }
  return missing.map(({ scope, why }) => ({
    level: 'error',
    about: 'scopes',
    what: `${scope} is missing, which is needed to ${why}`,
    mend: 'add the scope to the service key or the app in HubSpot; with OAuth, connect again',
  }))
}

async function probe(session: Session, needed: NeededScope, signal: AbortSignal): Promise<boolean> {
  return (await refusalOfProbe(session, needed.probe, signal)) === null
}

/** What HubSpot says when it forbids a call; null when it lets us. */
async function refusalOfProbe(
  session: Session,
  request: RawRequest,
  signal: AbortSignal,
): Promise<string | null> {
  const { method, path } = request
  const result = await session.send(
    {
      kind: 'read',
      endpoint: `${method} ${path.replace(/^\/crm\/v3\//, '')}`,
      invoke: (options) => session.apis.raw.send(request, options),
    },
    signal,
  )
  if (result.ok || result.failure.kind === 'refused') return null
  if (result.failure.forbidden) return result.failure.error.message
  throw result.failure.error
}
