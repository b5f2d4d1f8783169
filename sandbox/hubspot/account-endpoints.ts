import type { ApiReply } from '../reply-sender.ts'
import { zoneOffsetMs } from './account-day.ts'
import type { ApiCall, ApiEndpoint } from './api-endpoint.ts'
import type { Owner } from './default-owners.ts'
import { invalid, notFound, PORTAL_ID } from './hubspot-error.ts'
import { OBJECT_TYPE_NAMES, OBJECT_TYPES, readObjectType } from './object-types.ts'
import type { PortalState } from './portal-state.ts'
import type { RateLimits } from './rate-limits.ts'

const MAX_OWNERS = 100

/** Owners and what an account tells about itself. */
export function accountEndpoints(
  state: PortalState,
  limits: RateLimits,
  now: () => number,
): ApiEndpoint[] {
  return [
    { method: 'get', path: '/crm/v3/owners', kind: 'read', handle: (call) => list(state, call) },
    {
      method: 'get',
      path: '/crm/v3/owners/:ownerId',
      kind: 'read',
      handle: (call) => one(state, call),
    },
    {
      method: 'get',
      path: '/account-info/v3/api-usage/daily/private-apps',
      kind: 'read',
      handle: () => ({ status: 200, body: { results: [usage(limits, now())] } }),
    },
    {
      method: 'get',
      path: '/account-info/v3/details',
      kind: 'read',
      handle: () => ({ status: 200, body: details(limits.timeZone, now()) }),
    },
    {
      method: 'get',
      path: '/crm/v3/limits/custom-properties',
      kind: 'read',
      handle: () => ({ status: 200, body: propertyUsage(state, limits.customProperties) }),
    },
    {
      method: 'get',
      path: '/crm/v3/property-validations/:objectTypeId',
      kind: 'read',
      handle: (call) => {
        const type = readObjectType(call.params['objectTypeId'])
        return { status: 200, body: { results: state.rules.list(type) } }
      },
    },
  ]
}

function details(timeZone: string, now: number) {
  const offsetMs = zoneOffsetMs(timeZone, now)
  const minutes = Math.abs(offsetMs) / 60_000
  const two = (n: number) => String(n).padStart(2, '0')
  return {
    portalId: PORTAL_ID,
    accountType: 'DEVELOPER_TEST',
    timeZone,
    companyCurrency: 'USD',
    additionalCurrencies: [],
    utcOffset: `${offsetMs < 0 ? '-' : '+'}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`,
    utcOffsetMilliseconds: offsetMs,
    uiDomain: 'app.hubspot.com',
    dataHostingLocation: 'na1',
  }
}

function usage(limits: RateLimits, now: number) {
  const { limit, used, resetsAt } = limits.daily(now)
  return {
    name: 'private-apps-api-calls-daily',
    usageLimit: limit,
    currentUsage: used,
    collectedAt: new Date(now).toISOString(),
    fetchStatus: 'SUCCESS',
    resetsAt: new Date(resetsAt).toISOString(),
  }
}

function propertyUsage(state: PortalState, limit: number) {
  const byObjectType = OBJECT_TYPE_NAMES.map((type) => {
    const own = [...state.properties(type).values()].filter(
      ({ archived, hubspotDefined }) => !archived && hubspotDefined !== true,
    )
    const { singular, plural, typeId } = OBJECT_TYPES[type]
    const usage = own.length
    const labels = { singularLabel: singular, pluralLabel: plural }
    return { objectTypeId: typeId, ...labels, limit, usage, percentage: (usage / limit) * 100 }
  })
  const overallUsage = byObjectType.reduce((sum, { usage }) => sum + usage, 0)
  const overallLimit = limit * byObjectType.length
  const overallPercentage = (overallUsage / overallLimit) * 100
  return { byObjectType, overallLimit, overallUsage, overallPercentage }
}

function list(state: PortalState, call: ApiCall): ApiReply {
  const limit = Number(call.query.get('limit') ?? MAX_OWNERS)
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_OWNERS) {
    throw invalid(`limit must be between 1 and ${MAX_OWNERS}`)
  }
  const archived = call.query.get('archived') === 'true'
  const email = call.query.get('email')?.toLowerCase()
  const after = Number(call.query.get('after') ?? '0')
  const owners = [...state.owners.values()].filter(
    (owner) => owner.archived === archived && (email === undefined || owner.email === email),
  )
  const rest = owners.filter(({ id }) => Number(id) > after)
  const results = rest.slice(0, limit)
  const last = results.at(-1)?.id
  const paging =
    rest.length > limit && last !== undefined ? { paging: { next: { after: last } } } : {}
  return { status: 200, body: { results, ...paging } }
}

function one(state: PortalState, call: ApiCall): ApiReply {
  const id = call.params['ownerId'] ?? ''
  const byUser = call.query.get('idProperty') === 'userId'
  const archived = call.query.get('archived') === 'true'
  const isWanted = (owner: Owner) =>
    owner.archived === archived && (byUser ? String(owner.userId) === id : owner.id === id)
  const owner = [...state.owners.values()].find(isWanted)
  if (owner === undefined) throw notFound('resource not found')
  return { status: 200, body: owner }
}
