import type { Value } from './field-definition.ts'

/** A record's fields; what is missing is null, or false for a checkbox. */
export type RowValues = Readonly<Record<string, Value>>

/** Who changes something, and by what way. */
export interface Actor {
  readonly userId: string
  /** `ui` for a person at work; the others are ways of the API. */
  readonly channel: 'rest' | 'bulkapi' | 'ui'
  /** `Sforce-Call-Options: client=`. */
  readonly client: string | null
  readonly apiVersion: string
}

/** One change of a record. */
export interface RowVersion {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly what: 'create' | 'update' | 'delete' | 'undelete' | 'convert' | 'merge'
  readonly by: string
  readonly channel: Actor['channel']
  readonly client: string | null
  /** Fields that changed, as they were and as they are; none for `create`, see `firstValues`. */
  readonly changes: Readonly<Record<string, readonly [from: Value, to: Value]>>
}

export interface StoredRow {
  readonly id: string
  readonly object: string
  values: Record<string, Value>
  readonly history: RowVersion[]
}

/** What a record said when it was created: what it says now, with every change taken back. */
export function firstValues(record: {
  readonly values: RowValues
  readonly history: readonly RowVersion[]
}): RowValues {
  const { values, history } = record
  const first = { ...values }
  for (const { changes } of [...history].reverse()) {
    for (const [name, [from]] of Object.entries(changes)) first[name] = from
  }
  return first
}
