import { z } from 'zod'
import type { ChangedObject } from '../../../../src/core/ports/crm.ts'
import type { CrmSignal, SignalKind, Signals } from '../../../../src/core/ports/crm-webhook.ts'
import { isId } from '../objects.ts'
import { CLIENT } from '../transport.ts'
import type { ChangeEvent } from './event-schema.ts'

const OBJECTS: Readonly<Record<string, ChangedObject>> = {
  ...{ Lead: 'contact', Contact: 'contact', Account: 'company' },
  ...{ Opportunity: 'deal', Task: 'task' },
}
const KINDS: Readonly<Record<string, SignalKind>> = {
  ...{ CREATE: 'created', UPDATE: 'changed', DELETE: 'deleted', UNDELETE: 'restored' },
}
const EVERYTHING: readonly ChangedObject[] = ['contact', 'company', 'deal', 'task']
/** Change with every write, whatever it was. */
const SYSTEM_FIELDS = new Set(['LastModifiedDate', 'LastModifiedById', 'SystemModstamp'])

const changeShape = z.object({
  entity: z.string(),
  type: z.string(),
  ids: z.array(z.string()),
  fields: z.array(z.string()),
  /** Where a lead went that was converted. */
  to: z.string().optional(),
  /** The account that a deal was put under. */
  under: z.string().optional(),
})
type Change = z.output<typeof changeShape>

const toldShape = z.object({
  org: z.string(),
  changes: z.array(changeShape).default([]),
  /** What happened besides was not told. */
  missed: z.boolean().default(false),
})

/** What is stored of some events; null when there is nothing that anybody looks at. */
export function toldBody(
  org: string,
  events: readonly ChangeEvent[],
  missed: boolean,
): string | null {
  const changes = events.flatMap((event) => (isLookedAt(event) ? [changeOf(event)] : []))
  if (changes.length === 0 && !missed) return null
  return JSON.stringify({ org, changes, ...(missed ? { missed } : {}) })
}

/**
 * Our own writes come back with our name. Nothing is lost when they are passed over, since what changed is asked for
 * as well; but flows work within our transactions and under our name, so fields that are not the package's are heard.
 */
function isLookedAt({ entity, type, origin, fields }: ChangeEvent): boolean {
  const object = OBJECTS[entity]
  if (object === undefined) return false
  if (type.startsWith('GAP_') || !isOwn(origin)) return true
  if (type !== 'UPDATE' || object === 'deal' || object === 'task') return false
  return fields.some((field) => !isOurs(field))
}

/** Such as `com/salesforce/api/rest/67.0;client=ripen`. */
function isOwn(origin: string): boolean {
  return origin.split(';').some((part) => part.replace(/\/$/, '') === `client=${CLIENT}`)
}

/** A contact is put under its account by us, and a custom field is most likely ours. */
function isOurs(field: string): boolean {
  return field.endsWith('__c') || field === 'AccountId' || SYSTEM_FIELDS.has(field)
}

function changeOf(event: ChangeEvent): Change {
  const { entity, type, ids, fields, convertedTo, accountId } = event
  const isConverted = fields.includes('IsConverted') && convertedTo !== null
  return {
    ...{ entity, type, ids: [...ids] },
    fields: fields.filter((field) => !SYSTEM_FIELDS.has(field)),
    ...(isConverted ? { to: convertedTo } : {}),
    ...(entity === 'Opportunity' && accountId !== null ? { under: accountId } : {}),
  }
}

/** What a stored body says. */
export function parseTold(body: string): Signals {
  const told = toldShape.safeParse(jsonIn(body))
  if (!told.success) return { signals: [], ignored: 1 }
  const { org, changes, missed } = told.data
  const read = changes.map((change) => signalsOf(org, change))
  const untold = new Set(missed ? EVERYTHING : changes.filter(isUntold).flatMap(objectOf))
  return {
    signals: read.flat(),
    ignored: read.filter((signals, i) => signals.length === 0 && !isUntold(changes[i])).length,
    missed: [...untold],
  }
}

/** A transaction of too many changes names no record, and neither does `001*`. */
function isUntold(change: Change | undefined): boolean {
  if (!change) return false
  return change.type === 'GAP_OVERFLOW' || change.ids.some((id) => !isId(id))
}

const objectOf = ({ entity }: Change): ChangedObject[] => {
  const object = OBJECTS[entity]
  return object === undefined ? [] : [object]
}

function signalsOf(account: string, change: Change): CrmSignal[] {
  const { type, fields, to } = change
  const [object] = objectOf(change)
  const isGap = type.startsWith('GAP_')
  const kind = KINDS[isGap ? type.slice('GAP_'.length) : type]
  if (object === undefined || kind === undefined) return []
  const about = change.ids.filter(isId).map((crmId) => ({ account, object, crmId }))
  const nothing = { property: null, mergedInto: null }
  if (change.under !== undefined) {
    // Of a deal that nobody has read yet, only the account can tell.
    const put = { account, ...nothing, kind: 'associated' } as const
    return [
      ...about.map((one) => ({ ...one, ...put })),
      { ...put, object: 'company', crmId: change.under },
    ]
  }
  if (kind !== 'changed') return about.map((one) => ({ ...one, ...nothing, kind }))
  if (fields.includes('IsConverted')) {
    // The lead is none any more: its contact speaks now.
    const how = to === undefined ? 'deleted' : 'merged'
    return about.map((one) => ({ ...one, ...nothing, kind: how, mergedInto: to ?? null }))
  }
  const isWhole = isGap || fields.length === 0 || object === 'deal' || object === 'task'
  const named = isWhole ? [null] : fields
  const mayHaveMoved = change.entity === 'Contact' && (isWhole || fields.includes('AccountId'))
  return about.flatMap((one): CrmSignal[] => [
    ...named.map((property) => ({ ...one, kind, property, mergedInto: null })),
    ...(mayHaveMoved ? [{ ...one, ...nothing, kind: 'associated' as const }] : []),
  ])
}

function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return null
  }
}
