import {
  PropertyCreateFieldTypeEnum as FieldType,
  PropertyCreateTypeEnum as Type,
} from '@hubspot/api-client/lib/codegen/crm/properties/models/PropertyCreate.js'
import { z } from 'zod'
import type { CrmProperty, CrmPropertyType, ProvisionPlan } from '../../../src/core/ports/crm.ts'

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

const definitionShape = z.object({
  name: z.string(),
  type: z.string().catch('unknown'),
  fieldType: z.string().optional().catch(undefined),
  options: z
    .array(z.object({ value: z.string() }))
    .optional()
    .catch(undefined),
  hasUniqueValue: z.boolean().optional().catch(undefined),
  externalOptions: z.boolean().optional().catch(undefined),
  modificationMetadata: z
    .object({ readOnlyValue: z.boolean().optional() })
    .optional()
    .catch(undefined),
})

/** A property as it is defined in the account. */
export type PropertyDefinition = z.infer<typeof definitionShape>

/** One difference that a person must mend. */
export interface Drift {
  readonly property: string
  readonly expected: string
  readonly found: string
}

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

/** Where an existing definition is not what we need; labels, texts and forms are the customer's to change. */
export function driftOf(wanted: CrmProperty, found: PropertyDefinition): Drift[] {
  const property = wanted.name
  const type: string = DECLARATIONS[wanted.type].type
  if (found.type !== type) {
    return [{ property, expected: `type ${type}`, found: `type ${found.type}` }]
  }
  // A single choice in one and several in the other: a write of two would be refused.
  const several: string = FieldType.Checkbox
  if (wanted.type.endsWith('enumeration') && found.fieldType !== undefined) {
    const isSeveral = found.fieldType === several
    if (isSeveral !== (wanted.type === 'multi-enumeration')) {
      const words = (many: boolean) => (many ? 'any number of options' : 'one option')
      return [{ property, expected: words(!isSeveral), found: words(isSeveral) }]
    }
  }
  const drift: Drift[] = []
  const missing = missingOptions(wanted, found)
  if (missing.length > 0) {
    drift.push({
      property,
      expected: `options ${missing.join(', ')}`,
      found: 'a list without them',
    })
  }
  if (wanted.unique && found.hasUniqueValue !== true) {
    drift.push({ property, expected: 'unique values', found: 'values that may repeat' })
  }
  if (found.modificationMetadata?.readOnlyValue === true) {
    drift.push({ property, expected: 'a value that can be written', found: 'a read-only value' })
  }
  return drift
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

function toOptions(property: CrmProperty) {
  return (property.options ?? []).map(({ value, label }, displayOrder) => ({
    value,
    label,
    displayOrder,
    hidden: false,
  }))
}
