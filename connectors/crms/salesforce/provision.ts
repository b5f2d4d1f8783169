import type {
  CrmObject,
  CrmProperty,
  CrmPropertyType,
  PropertyDrift,
  ProvisionPlan,
  ProvisionResult,
} from '../../../src/core/ports/crm.ts'
import type { Finding } from '../../../src/core/ports/crm-check.ts'
import { describe, type FieldDescription, type ObjectDescription } from './describe.ts'
import { OBJECTS } from './objects.ts'
import type { Session } from './session.ts'

/** The types of fields that hold what a property holds. */
const TYPES: Readonly<Record<CrmPropertyType, readonly string[]>> = {
  string: ['string', 'textarea', 'picklist', 'combobox', 'email', 'url', 'phone'],
  text: ['textarea', 'string'],
  number: ['double', 'int', 'currency', 'percent', 'long'],
  bool: ['boolean'],
  date: ['date'],
  datetime: ['datetime'],
  enumeration: ['picklist', 'string', 'combobox'],
  'multi-enumeration': ['multipicklist'],
  phone: ['phone', 'string'],
}

export const DEPLOY =
  'deploy embed/salesforce (sf project deploy start --source-dir force-app), then assign the permission set Ripen Integration to the user of Ripen'

/** A plan held against one object of the org. */
export interface PlannedFields {
  readonly existing: readonly string[]
  readonly missing: readonly string[]
  readonly drift: readonly PropertyDrift[]
  readonly findings: readonly Finding[]
}

/**
 * Looks whether the fields that the mapping needs are there, and as it needs them. Salesforce lets no fields
 * be created through its data API: an admin deploys them, so nothing is ever created here, and a missing
 * field is drift.
 */
export async function provision(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<ProvisionResult> {
  const planned = await planFields(session, plan, signal)
  const missing = planned.missing.map((text): PropertyDrift => {
    return { property: text, expected: 'a field', found: 'none that this user sees', mend: DEPLOY }
  })
  return {
    groupCreated: false,
    created: [],
    existing: planned.existing,
    optionsAdded: [],
    drift: [...missing, ...planned.drift],
    findings: planned.findings,
  }
}

/** A person's fields are needed on leads and on contacts: she may be either, and becomes the other. */
export async function planFields(
  session: Session,
  plan: ProvisionPlan,
  signal: AbortSignal,
): Promise<PlannedFields> {
  const all: PlannedFields[] = []
  for (const object of OBJECTS[plan.object]) {
    const description = await describe(session, object, signal, { fresh: true })
    all.push(compareFields(plan, description))
  }
  const everywhere = plan.properties
    .map(({ name }) => name)
    .filter((name) => all.every(({ existing }) => existing.includes(name)))
  return {
    existing: everywhere,
    missing: named(all.map(({ missing }) => missing.map((property) => ({ property })))).map(
      ({ property }) => property,
    ),
    drift: named(all.map(({ drift }) => drift)),
    findings: all.flatMap(({ findings }) => findings),
  }
}

/** What is wrong with both of two fields of one name is told once, and by that name. */
function named<One extends { readonly property: string }>(
  lists: readonly (readonly One[])[],
): One[] {
  const told = new Map<string, One>()
  for (const one of lists.flat()) {
    const plain = one.property.replace(/^\w+\./, '')
    if (!told.has(plain)) told.set(plain, one)
  }
  return [...told.values()]
}

/** Holds a plan against one object. Pure. */
export function compareFields(plan: ProvisionPlan, object: ObjectDescription): PlannedFields {
  const there = plan.properties.flatMap((property) => {
    const field = object.fields.get(property.name)
    return field ? [{ property, field }] : []
  })
  const existing = there.map(({ property }) => property.name)
  return {
    existing,
    missing: plan.properties
      .filter(({ name }) => !existing.includes(name))
      .map(({ name }) => placeOf(object.name, name, plan.object)),
    drift: there.flatMap(({ property, field }) =>
      driftOf(plan.object, object.name, property, field),
    ),
    findings: there.flatMap(({ property, field }) =>
      findingsOf(plan.object, object.name, property, field),
    ),
  }
}

/** Of persons there are two fields of each name. */
function placeOf(object: string, field: string, of: CrmObject): string {
  return of === 'contact' && object !== 'Contact' ? `${object}.${field}` : field
}

function driftOf(
  of: CrmObject,
  object: string,
  wanted: CrmProperty,
  field: FieldDescription,
): PropertyDrift[] {
  const property = placeOf(object, wanted.name, of)
  const drift: PropertyDrift[] = []
  const add = (expected: string, found: string, mend: string) =>
    drift.push({ property, expected, found, mend })
  if (!TYPES[wanted.type].includes(field.type)) {
    add(
      `type ${TYPES[wanted.type][0]}`,
      `type ${field.type}`,
      'change its type in Setup, or take another name in the mapping',
    )
    return drift
  }
  if (wanted.unique) {
    if (!field.externalId)
      add('an external id', 'a field that is none', 'tick External ID in Setup')
    if (!field.unique) add('unique values', 'values that may repeat', 'tick Unique in Setup')
  }
  if (!field.updateable) {
    const found = field.calculated ? 'a formula' : 'a field that this user may only read'
    add(
      'a value that can be written',
      found,
      'assign the permission set Ripen Integration to the user of Ripen',
    )
  }
  const lacking = field.restrictedPicklist ? missingOptions(wanted, field) : []
  if (lacking.length > 0) {
    add(
      `options ${lacking.join(', ')}`,
      'a restricted list without them',
      'add the options in Setup',
    )
  }
  return drift
}

function missingOptions({ options = [] }: CrmProperty, field: FieldDescription): string[] {
  const known = new Set(
    (field.picklistValues ?? []).flatMap(({ value, active }) => (active ? [value] : [])),
  )
  if (field.type !== 'picklist' && field.type !== 'multipicklist') return []
  return options.map(({ value }) => value).filter((value) => !known.has(value))
}

function findingsOf(
  of: CrmObject,
  object: string,
  wanted: CrmProperty,
  field: FieldDescription,
): Finding[] {
  const findings: Finding[] = []
  const warn = (what: string, mend: string) =>
    findings.push({
      level: 'warning',
      about: 'fields',
      what: `${object}.${field.name} ${what}`,
      mend,
      of: { object: of, property: field.name },
    })
  const { numbers, longest } = wanted.values ?? {}
  if (longest !== undefined && field.length > 0 && longest > field.length) {
    warn(`holds ${field.length} characters: longer texts are cut`, 'make it longer in Setup')
  }
  const most = numbers?.greatest ?? null
  const digits = field.precision - field.scale
  if (most !== null && field.precision > 0 && Math.abs(most) >= 10 ** digits) {
    warn(
      `holds ${digits} digits before the point: greater numbers are refused`,
      'make it longer in Setup',
    )
  }
  return findings
}
