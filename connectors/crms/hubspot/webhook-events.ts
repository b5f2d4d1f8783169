import { z } from 'zod'
import type { ChangedObject } from '../../../src/core/ports/crm.ts'
import type { CrmSignal, SignalKind, Signals } from '../../../src/core/ports/crm-webhook.ts'

/** HubSpot sends no more in one delivery; a longer list is not HubSpot's. */
const MAX_EVENTS = 100

const id = z.union([z.string().min(1), z.number()]).transform(String)
const optional = id.optional().catch(undefined)

/** Live deliveries name the kind in `subscriptionType`, HubSpot's documentation in `eventType`. */
const eventShape = z.object({
  subscriptionType: z.string().optional(),
  eventType: z.string().optional(),
  portalId: optional,
  objectId: optional,
  objectTypeId: z.string().optional().catch(undefined),
  propertyName: z.string().optional().catch(undefined),
  propertyValue: z.string().nullable().optional().catch(undefined),
  primaryObjectId: optional,
  newObjectId: optional,
  mergedObjectIds: z.array(id).optional().catch(undefined),
  fromObjectId: optional,
  toObjectId: optional,
  associationType: z.string().optional().catch(undefined),
})
type WebhookEvent = z.output<typeof eventShape>

const OBJECTS: Readonly<Record<string, ChangedObject>> = {
  ...{ contact: 'contact', '0-1': 'contact' },
  ...{ company: 'company', '0-2': 'company' },
  ...{ deal: 'deal', '0-3': 'deal' },
  ...{ task: 'task', '0-27': 'task' },
}
const KINDS: Readonly<Record<string, SignalKind>> = {
  propertyChange: 'changed',
  creation: 'created',
  deletion: 'deleted',
  restore: 'restored',
  privacyDeletion: 'erased',
}

/** What a stored delivery says. An event that cannot be read takes nothing from the others. */
export function parseWebhook(body: string): Signals {
  const events = listIn(body)
  if (!events || events.length > MAX_EVENTS) return { signals: [], ignored: 1 }
  const read = events.map((event) => {
    const parsed = eventShape.safeParse(event)
    return parsed.success ? signalsOf(parsed.data) : []
  })
  return { signals: read.flat(), ignored: read.filter((signals) => signals.length === 0).length }
}

function listIn(body: string): readonly unknown[] | null {
  try {
    const parsed: unknown = JSON.parse(body)
    if (Array.isArray(parsed)) return parsed
    return typeof parsed === 'object' && parsed !== null ? [parsed] : null
  } catch {
    return null
  }
}

function signalsOf(event: WebhookEvent): CrmSignal[] {
  const [subject = '', what = ''] = (event.subscriptionType ?? event.eventType ?? '').split('.')
  if (what === 'associationChange') return associationSignals(event, subject)
  const object = OBJECTS[subject === 'object' ? (event.objectTypeId ?? '') : subject]
  if (!object) return []
  if (what === 'merge') return mergeSignals(event, object)
  const kind = KINDS[what]
  if (!kind || event.objectId === undefined) return []
  const property = kind === 'changed' ? (event.propertyName ?? null) : null
  const value = property === null ? undefined : event.propertyValue
  const told = value === undefined ? {} : { value }
  return [{ ...signal(event, object, event.objectId, kind), property, ...told }]
}

/** Of a merge, every record that took part, and the one that is left: the new one, if there is a new one. */
function mergeSignals(event: WebhookEvent, object: ChangedObject): CrmSignal[] {
  const { objectId, primaryObjectId, newObjectId, mergedObjectIds = [] } = event
  const left = newObjectId ?? primaryObjectId ?? objectId
  if (left === undefined) return []
  const parts = [primaryObjectId, ...mergedObjectIds, newObjectId, objectId]
  const ids = new Set(parts.filter((part) => part !== undefined))
  return [...ids].map((one) => ({ ...signal(event, object, one, 'merged'), mergedInto: left }))
}

/** `CONTACT_TO_COMPANY` names the objects of the two ends; both are told of. */
function associationSignals(event: WebhookEvent, subject: string): CrmSignal[] {
  const [from, to] = (event.associationType ?? '').toLowerCase().split('_to_')
  const ends = [
    [OBJECTS[from ?? ''] ?? OBJECTS[subject], event.fromObjectId],
    [OBJECTS[to ?? ''], event.toObjectId],
  ] as const
  return ends.flatMap(([object, end]) =>
    object && end !== undefined ? [signal(event, object, end, 'associated')] : [],
  )
}

function signal(
  event: WebhookEvent,
  object: ChangedObject,
  crmId: string,
  kind: SignalKind,
): CrmSignal {
  return {
    ...{ account: event.portalId ?? null, object, crmId, kind },
    ...{ property: null, mergedInto: null },
  }
}
