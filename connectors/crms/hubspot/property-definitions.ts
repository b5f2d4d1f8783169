import { z } from 'zod'
import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { OBJECT_PATHS } from './hubspot-apis.ts'
import { type PropertyDefinition, parseDefinition } from './property-plan.ts'
import { type Session, sendForListing, sendOrThrow } from './session.ts'
import type { Call } from './transport.ts'

/** HubSpot's ids of the object types. */
const OBJECT_TYPE_IDS: Readonly<Record<CrmObject, string>> = { contact: '0-1', company: '0-2' }

const limitShape = z.object({
  byObjectType: z.array(
    z.object({ objectTypeId: z.string(), limit: z.number(), usage: z.number() }),
  ),
})

/** How many properties of their own an object may have, and has. */
export interface PropertyQuota {
  readonly limit: number
  readonly used: number
}

/** Every property that is defined on an object, by name: the live ones, or the archived ones. */
export async function readDefinitions(
  session: Session,
  object: CrmObject,
  signal: AbortSignal,
  archived = false,
): Promise<ReadonlyMap<string, PropertyDefinition>> {
  const path = OBJECT_PATHS[object]
  const listing = await sendForListing(
    session,
    {
      kind: 'read',
      endpoint: `GET properties/${path}`,
      invoke: (options) => session.apis.properties.getAll(path, archived, undefined, options),
    },
    parseDefinition,
    signal,
  )
  return new Map(listing.results.map((definition) => [definition.name, definition]))
}

/** What is left of the account's custom properties, by object. */
export async function readPropertyQuotas(
  session: Session,
  signal: AbortSignal,
): Promise<ReadonlyMap<CrmObject, PropertyQuota>> {
  const body = await sendOrThrow(
    session,
    rawRead(session, '/crm/v3/limits/custom-properties'),
    signal,
  )
  const { data } = limitShape.safeParse(body)
  const byId = new Map(data?.byObjectType.map((entry) => [entry.objectTypeId, entry]))
  return new Map(
    (['contact', 'company'] as const).flatMap((object) => {
      const entry = byId.get(OBJECT_TYPE_IDS[object])
      return entry ? [[object, { limit: entry.limit, used: entry.usage }] as const] : []
    }),
  )
}

const ruleShape = z.object({
  propertyName: z.string(),
  propertyValidationRules: z.array(
    z.object({ ruleType: z.string(), ruleArguments: z.array(z.string()).catch([]) }),
  ),
})

/** One rule that an administrator has set for the values of a property. */
export interface ValidationRule {
  readonly ruleType: string
  readonly ruleArguments: readonly string[]
}

/** The rules for the values of an object's properties, by name of the property. */
export async function readValidationRules(
  session: Session,
  object: CrmObject,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, readonly ValidationRule[]>> {
  const path = `/crm/v3/property-validations/${OBJECT_TYPE_IDS[object]}`
  const parse = (item: unknown) => ruleShape.safeParse(item).data ?? null
  const listing = await sendForListing(session, rawRead(session, path), parse, signal)
  return new Map(
    listing.results.map(({ propertyName, propertyValidationRules }) => [
      propertyName,
      propertyValidationRules,
    ]),
  )
}

/** A read of a path that the client has no method for. */
export function rawRead(session: Session, path: string): Call {
  return {
    kind: 'read',
    endpoint: `GET ${path.replace(/^\/(crm\/)?(v3\/)?/, '')}`,
    invoke: (options) => session.apis.raw.send({ method: 'GET', path }, options),
  }
}
