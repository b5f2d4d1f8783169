import type { ObjectMapping, PropertyMapping } from '../../src/core/mapping/crm-mapping.ts'
import { traitOf } from '../../src/core/mapping/field-policy.ts'
import { ANSWER_VALUES, type SalesValues, statusMeant } from '../../src/core/scoring/sales.ts'
import type { DueRead } from '../../src/infra/postgres/crm-read-store.ts'
import type { SeenSales } from '../../src/infra/postgres/sales-store.ts'
import type { SeenTraits } from '../../src/infra/postgres/trait-store.ts'
import type { OwnSaid } from './see-own-fields.ts'

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

/**
 * The traits that records tell. A record that is gone says nothing any more.
 * @param own what they say in properties of ours.
 */
export function traitsIn({ rules, reads, values, since }: Said, own: OwnSaid): SeenTraits[] {
  const told = reads.filter(({ ref }) => !own.overtaken.has(ref))
  const places = [...Object.entries(rules.read), ...ownPlaces(rules)]
  return told.map(({ ref, crmId }) => {
    const [read, set] = [values.get(crmId), since.get(crmId) ?? {}]
    const theirs = Object.entries(rules.read).map(([name, p]) => [name, textOf(read?.[p])])
    return {
      about: ref,
      values: { ...Object.fromEntries(theirs), ...own.traits.get(ref) },
      since: Object.fromEntries(
        places.flatMap(([name, p]) => (set[p] === undefined ? [] : [[name, Date.parse(set[p])]])),
      ),
    }
  })
}

/** Traits that properties of ours are filled with, or fill, and these properties. */
function ownPlaces({ properties }: ObjectMapping): (readonly [string, string])[] {
  const declared: Readonly<Record<string, PropertyMapping>> = properties
  return Object.entries(declared).flatMap(([property, p]) => {
    const trait = traitOf(p)
    return trait === null ? [] : [[trait, property] as const]
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
