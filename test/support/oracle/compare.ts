import type { Answer } from './answers.ts'

/** One thing that product and oracle say differently about a subject. */
export interface Difference {
  readonly subjectId: string
  readonly what: string
  readonly product: unknown
  readonly oracle: unknown
}

/** All that two sets of answers say differently; the order of contributions makes no difference. */
export function differences(
  product: ReadonlyMap<string, Answer>,
  oracle: ReadonlyMap<string, Answer>,
): Difference[] {
  const ids = [...new Set([...product.keys(), ...oracle.keys()])].sort()
  return ids.flatMap((id) => differencesOf(id, product.get(id), oracle.get(id)))
}

function differencesOf(
  subjectId: string,
  product: Answer | undefined,
  oracle: Answer | undefined,
): Difference[] {
  if (product === undefined || oracle === undefined) {
    const has = { product: product !== undefined, oracle: oracle !== undefined }
    return [{ subjectId, what: 'has a score', ...has }]
  }
  const found: Difference[] = []
  const note = (what: string, a: unknown, b: unknown, isSame: boolean) => {
    if (!isSame) found.push({ subjectId, what, product: a, oracle: b })
  }
  for (const field of ['score', 'grade', 'usageStatus', 'championId'] as const) {
    note(field, product[field], oracle[field], product[field] === oracle[field])
  }
  const [others, expected] = [[...product.otherIds].sort(), [...oracle.otherIds].sort()]
  note('otherIds', others, expected, others.join() === expected.join())
  const [told, meant] = [product, oracle].map(
    ({ contributions }) => new Map(contributions.map((one) => [one.id, one])),
  )
  for (const id of new Set([...(told?.keys() ?? []), ...(meant?.keys() ?? [])])) {
    const [a, b] = [told?.get(id), meant?.get(id)]
    note(`points of ${id}`, a?.points, b?.points, a?.points === b?.points)
    if (a === undefined || b === undefined || id === 'limit' || id === 'excluded') continue
    note(`amount of ${id}`, a.amount, b.amount, isNear(a.amount, b.amount))
  }
  return found
}

/** Amounts are worked out in other orders here and there; points are not allowed even that. */
const isNear = (a: number, b: number): boolean =>
  Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(a), Math.abs(b))
