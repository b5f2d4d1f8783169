import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type { CrmProperty, ProvisionPlan } from '../../../src/core/ports/crm.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import { parseDefinition, toPropertyCreate, withOptions } from './property-plan.ts'
import { type Refusal, refusalOfError } from './refusal.ts'
import { failureToThrow, type Session, sendOrThrow } from './session.ts'
import { parseListing } from './wire-shapes.ts'

/** @returns true when it was created here. */
export async function ensureGroup(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<boolean> {
  if (await groupExists(session, plan, signal)) return false
  const path = OBJECT_PATHS[plan.object]
  const endpoint = `POST properties/${path}/groups`
  const group = { ...plan.group, displayOrder: -1 }
  const result = await session.send(
    {
      kind: 'write',
      endpoint,
      invoke: (options) => session.apis.propertyGroups.create(path, group, options),
    },
    signal,
  )
  if (result.ok) return true
  if (await groupExists(session, plan, signal)) return false
  throw failureToThrow(result.failure, endpoint)
}

export async function groupExists(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<boolean> {
  const path = OBJECT_PATHS[plan.object]
  const endpoint = `GET properties/${path}/groups/{name}`
  const result = await session.send(
    {
      kind: 'read',
      endpoint,
      invoke: (options) => session.apis.propertyGroups.getByName(path, plan.group.name, options),
    },
    signal,
  )
  if (result.ok) return true
  const { failure } = result
  if (failure.kind === 'refused' && failure.refusal.status === 404) return false
  throw failureToThrow(failure, endpoint)
}

/** A refusal is kept for later: the next look at the account tells whether it matters. */
export async function createBatch(
  session: Session,
  plan: ProvisionPlan,
  properties: readonly CrmProperty[],
  signal: AbortSignal,
): Promise<{ created: string[]; refusal: Refusal | null }> {
  const path = OBJECT_PATHS[plan.object]
  const endpoint = `POST properties/${path}/batch/create`
  const inputs = properties.map((property) => toPropertyCreate(property, plan.group))
  const result = await session.send(
    {
      kind: 'write',
      endpoint,
      invoke: (options) => session.apis.propertyBatch.create(path, { inputs }, options),
    },
    signal,
  )
  if (!result.ok) {
    if (result.failure.kind === 'failed') throw result.failure.error
    return { created: [], refusal: result.failure.refusal }
  }
  const listing = parseListing(result.answer.body, parseDefinition)
  const error = listing?.errors[0]
  return {
    created: listing?.results.map((definition) => definition.name) ?? [],
    refusal: error ? refusalOfError(error, result.answer.status, null) : null,
  }
}

/**
 * Adds the options that are missing. The property is read once more right before: the list that is sent
 * replaces what is there, and others may have added to it.
 */
export async function addMissingOptions(
  session: Session,
  plan: ProvisionPlan,
  property: CrmProperty,
  signal: AbortSignal,
): Promise<void> {
  const path = OBJECT_PATHS[plan.object]
  const { name } = property
  const body = await sendOrThrow(
    session,
    {
      kind: 'read',
      endpoint: `GET properties/${path}/{name}`,
      invoke: (options) => session.apis.properties.getByName(path, name, false, undefined, options),
    },
    signal,
  )
  const current = parseDefinition(body)
  // An unreadable list must never be taken for an empty one: everybody's options would be lost.
  if (current?.options === undefined) {
    throw new RetryableError(`HubSpot's answer to GET properties/${path}/{name} could not be read.`)
  }
  const options = withOptions(current, property)
  const answer = await sendOrThrow(
    session,
    {
      kind: 'write',
      endpoint: `PATCH properties/${path}/{name}`,
      invoke: (call) => session.apis.properties.update(path, name, { options }, call),
    },
    signal,
  )
  const kept = new Set(parseDefinition(answer)?.options?.map(({ value }) => value))
  if (options.every(({ value }) => kept.has(value))) return
  throw new ConfigError(`HubSpot did not add all options of ${plan.object} property ${name}.`)
}
