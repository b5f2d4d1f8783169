import type { FieldDefinition, Value } from './field-definition.ts'
import type { ObjectTable } from './object-table.ts'
import type { OrgState } from './org-state.ts'

interface Traits {
  readonly fieldsVersion: number
  /** Fields that every record must fill, unless they fill themselves. */
  readonly required: readonly FieldDefinition[]
  /** What a new record says before anybody said anything. */
  readonly defaults: Readonly<Record<string, Value>>
}

/** What an object's fields ask of every record, worked out again when a field changes. */
export class ObjectTraits {
  private readonly state: OrgState
  private readonly known = new Map<ObjectTable, Traits>()

  constructor(state: OrgState) {
    this.state = state
  }

  of(table: ObjectTable): Traits {
    const { fieldsVersion } = this.state
    const known = this.known.get(table)
    if (known?.fieldsVersion === fieldsVersion) return known
    const traits = readTraits(table, fieldsVersion)
    this.known.set(table, traits)
    return traits
  }
}

function readTraits({ definition }: ObjectTable, fieldsVersion: number): Traits {
  const fields = [...definition.fields.values()]
  const defaults: Record<string, Value> = {}
  for (const { name, type, defaulted, createable, picklist } of fields) {
    const chosen = picklist.find(({ defaultValue }) => defaultValue)
    if (chosen !== undefined) defaults[name] = chosen.value
    else if (type === 'boolean' && defaulted && createable) defaults[name] = name === 'IsActive'
  }
  const required = fields.filter(
    ({ createable, nillable, type }) => createable && !nillable && type !== 'boolean',
  )
  return { fieldsVersion, required, defaults }
}
