import type { ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import { ANSWER_VALUES, type SalesValues, statusMeant } from '../../src/core/scoring/sales.ts'
import type { DueRead } from '../../src/infra/postgres/crm-read-store.ts'
import type { SeenSales } from '../../src/infra/postgres/sales-store.ts'
import type { SeenTraits } from '../../src/infra/postgres/trait-store.ts'

/** Values by record id and property; null for an empty one. */
export type Values = ReadonlyMap<string, Readonly<Record<string, string | null>>>

/** When values were set or emptied, ISO 8601 UTC, by record id and property, as far as the CRM tells. */
export type Since = ReadonlyMap<string, Readonly<Record<string, string>>>

/** Records of one object and what was read of them. */
export interface Said {
  readonly rules: ObjectMapping
  readonly reads: readonly DueRead[]
  readonly values: Values
  readonly since: Since
}

/** The traits that records tell. A record that is gone says nothing any more. */
export function traitsIn({ rules, reads, values, since }: Said): SeenTraits[] {
  return reads.map(({ ref, crmId }) => {
    const traits = Object.entries(rules.read)
    const [read, set] = [values.get(crmId), since.get(crmId) ?? {}]
    return {
      about: ref,
      values: Object.fromEntries(traits.map(([name, p]) => [name, textOf(read?.[p])])),
      since: Object.fromEntries(
        traits.flatMap(([name, p]) => (set[p] === undefined ? [] : [[name, Date.parse(set[p])]])),
      ),
    }
  })
}

/** What sales says by a property of the CRM's own. What was said of a record that is gone stays said. */
export function salesIn(said: Said): SeenSales[] {
  const sales = said.rules['sales-status']
  return sales ? wordsIn(said, sales, sales.values) : []
}

/** What reps answer in our own property. */
export function answersIn(said: Said): SeenSales[] {
  const { disposition } = said.rules
  if (!disposition) return []
  const { property, reason } = disposition
  return wordsIn(said, { property, reason: reason?.property }, ANSWER_VALUES)
}

function wordsIn(
  { reads, values, since }: Said,
  from: { readonly property: string; readonly reason?: string | undefined },
  meanings: SalesValues,
): SeenSales[] {
  return reads.flatMap(({ ref, crmId }) => {
    const read = values.get(crmId)
    if (!read) return []
    const status = statusMeant(meanings, textOf(read[from.property]))
    const reason = from.reason === undefined ? null : textOf(read[from.reason])
    const at = since.get(crmId)?.[from.property]
    return [
      {
        ...{ about: ref, status, reason: status === 'none' ? null : reason },
        ...(at === undefined ? {} : { since: Date.parse(at) }),
      },
    ]
  })
}

/** A value without spaces around it; null for an empty one. */
export function textOf(text: string | null | undefined): string | null {
  const trimmed = text?.trim() ?? ''
  return trimmed === '' ? null : trimmed
}
