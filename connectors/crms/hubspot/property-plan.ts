import {
  PropertyCreateFieldTypeEnum as FieldType,
  PropertyCreateTypeEnum as Type,
} from '@hubspot/api-client/lib/codegen/crm/properties/models/PropertyCreate.js'
import { z } from 'zod'
import type {
  CrmProperty,
  CrmPropertyType,
  PropertyDrift,
  ProvisionPlan,
} from '../../../src/core/ports/crm.ts'
import type { Finding } from '../../../src/core/ports/crm-check.ts'

/** HubSpot documents this one; the client's list lacks it. */
const PHONE = 'phonenumber' as FieldType

/** How each type of ours is declared in HubSpot, and what its form shows. */
const DECLARATIONS = {
  string: { type: Type.String, fieldType: FieldType.Text },
  text: { type: Type.String, fieldType: FieldType.Textarea },
  number: { type: Type.Number, fieldType: FieldType.Number },
  bool: { type: Type.Bool, fieldType: FieldType.Booleancheckbox },
  date: { type: Type.Date, fieldType: FieldType.Date },
  datetime: { type: Type.Datetime, fieldType: FieldType.Date },
  enumeration: { type: Type.Enumeration, fieldType: FieldType.Select },
  'multi-enumeration': { type: Type.Enumeration, fieldType: FieldType.Checkbox },
  phone: { type: Type.String, fieldType: PHONE },
} as const satisfies Record<CrmPropertyType, { type: Type; fieldType: FieldType }>

const text = z.string().optional().catch(undefined)
const flag = z.boolean().optional().catch(undefined)
const optionShape = z.object({
  value: z.string(),
  label: text,
  displayOrder: z.number().optional().catch(undefined),
  hidden: flag,
  description: text,
})

const definitionShape = z.object({
  name: z.string(),
  type: z.string().catch('unknown'),
  fieldType: text,
  groupName: text,
  options: z.array(optionShape).optional().catch(undefined),
  hasUniqueValue: flag,
  externalOptions: flag,
  calculated: flag,
  hubspotDefined: flag,
  modificationMetadata: z
    .object({ readOnlyValue: flag, readOnlyDefinition: flag, readOnlyOptions: flag })
    .optional()
    .catch(undefined),
})

/** A property as it is defined in the account. */
export type PropertyDefinition = z.infer<typeof definitionShape>

/** Reads a definition; null when it has no name. */
export function parseDefinition(item: unknown): PropertyDefinition | null {
  return definitionShape.safeParse(item).data ?? null
}

/** The definition to create. */
export function toPropertyCreate(property: CrmProperty, group: ProvisionPlan['group']) {
  return {
    name: property.name,
    label: property.label,
    groupName: group.name,
    ...DECLARATIONS[property.type],
    ...(property.description === undefined ? {} : { description: property.description }),
    ...(hasOptions(property) ? { options: toOptions(property) } : {}),
    ...(property.unique ? { hasUniqueValue: true } : {}),
  }
}

/** The properties that an account has of an object, by name. */
export interface FoundProperties {
  readonly live: ReadonlyMap<string, PropertyDefinition>
  /** Deleted ones, which HubSpot keeps for a while. */
  readonly archived: ReadonlySet<string>
}

/** What a plan lacks in an account, and what stands in its way. */
export interface PlannedProperties {
  readonly create: readonly CrmProperty[]
  readonly existing: readonly string[]
  readonly addOptions: readonly {
    readonly property: CrmProperty
    readonly values: readonly string[]
  }[]
  readonly drift: readonly PropertyDrift[]
  readonly findings: readonly Finding[]
}

/** Holds a plan against an account. Pure. */
export function comparePlan(plan: ProvisionPlan, found: FoundProperties): PlannedProperties {
  const missing = plan.properties.filter(({ name }) => !found.live.has(name))
  const there = plan.properties.flatMap((property) => {
    const definition = found.live.get(property.name)
    return definition ? [{ property, definition }] : []
  })
  const gone = missing.filter(({ name }) => found.archived.has(name))
  return {
    create: missing.filter(({ name }) => !found.archived.has(name)),
    existing: there.map(({ property }) => property.name),
    addOptions: there.flatMap(({ property, definition }) => {
      const values = isOwn(plan, definition) ? missingOptions(property, definition) : []
      return values.length > 0 ? [{ property, values }] : []
    }),
    drift: [
      ...gone.map(deleted),
      ...there.flatMap(({ property, definition }) => driftOf(plan, property, definition)),
    ],
    findings: there.flatMap(({ definition }) => movedFinding(plan, definition)),
  }
}

/** Ours is what lies in our group and may be changed: whatever else bears its name is left as it is. */
function isOwn(plan: ProvisionPlan, found: PropertyDefinition): boolean {
  const { readOnlyDefinition, readOnlyOptions } = found.modificationMetadata ?? {}
  return (
    found.groupName === plan.group.name &&
    found.hubspotDefined !== true &&
    readOnlyDefinition !== true &&
    readOnlyOptions !== true
  )
}

const RENAME = 'take another name for ours in the mapping'

function deleted({ name }: CrmProperty): PropertyDrift {
  const mend = `restore it in HubSpot (Settings, Properties, archived), or ${RENAME}`
  return { property: name, expected: 'a property', found: 'one that was deleted', mend }
}

/** Where an existing definition is not what we need; labels, texts and forms are the customer's to change. */
function driftOf(
  plan: ProvisionPlan,
  wanted: CrmProperty,
  found: PropertyDefinition,
): PropertyDrift[] {
  const property = wanted.name
  const type: string = DECLARATIONS[wanted.type].type
  if (found.type !== type) {
    const mend = `change its type back in HubSpot, or ${RENAME}`
    return [{ property, expected: `type ${type}`, found: `type ${found.type}`, mend }]
  }
  // A single choice in one and several in the other: a write of two would be refused.
  const several: string = FieldType.Checkbox
  if (hasOptions(wanted) && found.fieldType !== undefined) {
    const isSeveral = found.fieldType === several
    if (isSeveral !== (wanted.type === 'multi-enumeration')) {
      const words = (many: boolean) => (many ? 'any number of options' : 'one option')
      const mend = `change its type back in HubSpot, or ${RENAME}`
      return [{ property, expected: words(!isSeveral), found: words(isSeveral), mend }]
    }
  }
  const drift: PropertyDrift[] = []
  const missing = isOwn(plan, found) ? [] : missingOptions(wanted, found)
  if (missing.length > 0) {
    drift.push({
      property,
      expected: `options ${missing.join(', ')}`,
      found: 'a list without them, of a property that is not ours to change',
      mend: `add the options in HubSpot, or ${RENAME}`,
    })
  }
  if (wanted.unique && found.hasUniqueValue !== true) {
    const mend = `a property cannot be made unique later: ${RENAME}`
    drift.push({ property, expected: 'unique values', found: 'values that may repeat', mend })
  }
  const fixed = notWritable(found)
  if (fixed) {
    const mend = `let integrations edit it in HubSpot, or ${RENAME}`
    drift.push({ property, expected: 'a value that can be written', found: fixed, mend })
  }
  return drift
}

/** Why a value cannot be written; null when it can. */
export function notWritable(found: PropertyDefinition): string | null {
  if (found.fieldType?.startsWith('calculation')) return 'a value that HubSpot calculates'
  if (found.modificationMetadata?.readOnlyValue === true) return 'a read-only value'
  return null
}

function movedFinding(plan: ProvisionPlan, found: PropertyDefinition): Finding[] {
  const { name, groupName, hubspotDefined } = found
  if (groupName === undefined || groupName === plan.group.name) return []
  const where = hubspotDefined ? 'is one of HubSpot itself' : `lies in the group ${groupName}`
  return [
    {
      level: 'warning',
      about: 'properties',
      what: `${plan.object} property ${name} ${where}: its values are written, its definition is left alone`,
      mend: hubspotDefined
        ? `if others fill it in too, ${RENAME}`
        : `if somebody moved it, move it back to ${plan.group.name}; if it is not ours, ${RENAME}`,
      of: { object: plan.object, property: name },
    },
  ]
}

/** `externalOptions` are kept elsewhere in HubSpot and look empty here. */
function missingOptions(wanted: CrmProperty, found: PropertyDefinition): string[] {
  if (!hasOptions(wanted) || found.externalOptions === true) return []
  const existing = new Set((found.options ?? []).map((option) => option.value))
  return (wanted.options ?? [])
    .map((option) => option.value)
    .filter((value) => !existing.has(value))
}

const hasOptions = ({ type }: CrmProperty): boolean => type.endsWith('enumeration')
/**
 * The whole list of an enumeration with ours added: HubSpot replaces the list that it is sent, so whatever
 * others have added must be in it.
 */
export function withOptions(found: PropertyDefinition, wanted: CrmProperty) {
  const kept = (found.options ?? []).map((option, index) => ({
    value: option.value,
    label: option.label ?? option.value,
    displayOrder: option.displayOrder ?? index,
    hidden: option.hidden ?? false,
    ...(option.description === undefined ? {} : { description: option.description }),
  }))
  const last = Math.max(-1, ...kept.map(({ displayOrder }) => displayOrder))
  const missing = new Set(missingOptions(wanted, found))
  const added = (wanted.options ?? []).filter(({ value }) => missing.has(value))
  return [
    ...kept,
    ...added.map(({ value, label }, index) => ({
      value,
      label,
      displayOrder: last + 1 + index,
      hidden: false,
    })),
  ]
}

function toOptions(property: CrmProperty) {
  return (property.options ?? []).map(({ value, label }, displayOrder) => ({
    value,
    label,
    displayOrder,
    hidden: false,
  }))
}
