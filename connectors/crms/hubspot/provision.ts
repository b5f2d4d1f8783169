import { ConfigError } from '../../../src/core/errors.ts'
import type {
  CrmObject,
  CrmProperty,
  ProvisionPlan,
  ProvisionResult,
} from '../../../src/core/ports/crm.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import {
  driftOf,
  type PropertyDefinition,
  parseDefinition,
  toPropertyCreate,
} from './property-plan.ts'
import { MAX_BATCH } from './records.ts'
import { type Refusal, refusalOfError } from './refusal.ts'
import { chunks, failureToThrow, type Session, sendForListing } from './session.ts'
import { parseListing } from './wire-shapes.ts'

/** Another process may create the same properties at the same time: look again, then try once more. */
const MAX_ROUNDS = 2

/** Creates the group and the properties that are missing; what exists is compared, never changed. */
export async function provision(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  await ensureGroup(session, plan, signal)
  const created: string[] = []
  let refusal: Refusal | null = null
  for (let round = 0; round <= MAX_ROUNDS; round += 1) {
    const found = await readDefinitions(session, plan.object, signal)
    const missing = plan.properties.filter((property) => !found.has(property.name))
    if (missing.length === 0) return report(plan, found, created)
    if (round === MAX_ROUNDS) break
    for (const batch of chunks(missing, MAX_BATCH)) {
      const answer = await createBatch(session, plan, batch, signal)
      created.push(...answer.created)
      refusal = answer.refusal ?? refusal
    }
  }
  throw new ConfigError(notCreated(plan, refusal))
}

async function ensureGroup(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<void> {
  if (await groupExists(session, plan, signal)) return
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
  if (result.ok || (await groupExists(session, plan, signal))) return
  throw failureToThrow(result.failure, endpoint)
}

async function groupExists(session: Session, plan: ProvisionPlan, signal: AbortSignal) {
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

/** Every property that is defined on an object, by name. */
export async function readDefinitions(
  session: Session,
  object: CrmObject,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, PropertyDefinition>> {
  const path = OBJECT_PATHS[object]
  const listing = await sendForListing(
    session,
    {
      kind: 'read',
      endpoint: `GET properties/${path}`,
      invoke: (options) => session.apis.properties.getAll(path, false, undefined, options),
    },
    parseDefinition,
    signal,
  )
  return new Map(listing.results.map((definition) => [definition.name, definition]))
}

/** A refusal is kept for later: the next look at the account tells whether it matters. */
async function createBatch(
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

function report(
  plan: ProvisionPlan,
  found: ReadonlyMap<string, PropertyDefinition>,
  created: readonly string[],
): ProvisionResult {
  const existing = plan.properties.map(({ name }) => name).filter((name) => !created.includes(name))
  const drift = plan.properties.flatMap((property) => {
    const definition = found.get(property.name)
    return definition ? driftOf(property, definition) : []
  })
  return { created, existing, drift }
}

function notCreated(plan: ProvisionPlan, refusal: Refusal | null): string {
  const facts = [
    refusal?.property && `property ${refusal.property}`,
    refusal?.code,
    refusal?.category,
    refusal?.correlationId && `correlation id ${refusal.correlationId}`,
  ].filter(Boolean)
  return (
    `HubSpot did not create all properties of ${plan.object} in group ${plan.group.name}` +
    `${facts.length > 0 ? ` (${facts.join(', ')})` : ''}. An object may have at most 10 unique properties.`
  )
}
