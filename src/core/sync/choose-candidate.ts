import type { Several } from '../mapping/crm-mapping.ts'
import type { CrmFound } from '../ports/crm.ts'

/** Which CRM record a subject of ours is. */
export type Chosen =
  | { readonly kind: 'none' }
  | { readonly kind: 'found'; readonly found: CrmFound; readonly others: readonly string[] }
  /** A person must say which. */
  | { readonly kind: 'ask'; readonly ids: readonly string[] }

/** Picks one of the candidates. One that has our own key needs no policy: we chose it before. */
export function chooseCandidate(candidates: readonly CrmFound[], several: Several): Chosen {
  const [first, ...more] = candidates
  if (first === undefined) return { kind: 'none' }
  if (more.length === 0 || first.by === 'key') return { kind: 'found', found: first, others: [] }
  const ids = candidates.map(({ crmId }) => crmId)
  if (several === 'ask') return { kind: 'ask', ids }
  const best = [...candidates].sort(ORDERS[several])[0] ?? first
  return { kind: 'found', found: best, others: ids.filter((id) => id !== best.crmId) }
}

type Order = (a: CrmFound, b: CrmFound) => number

const oldestFirst: Order = (a, b) => compare(a.createdAt, b.createdAt)

/** Sorting keeps the CRM's own order among equals. */
const ORDERS: Readonly<Record<Exclude<Several, 'ask'>, Order>> = {
  oldest: oldestFirst,
  newest: (a, b) => compare(b.createdAt, a.createdAt),
  'with-owner': (a, b) =>
    Number(a.ownerId === null) - Number(b.ownerId === null) || oldestFirst(a, b),
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
