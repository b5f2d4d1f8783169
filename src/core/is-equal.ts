/** Whether two values of plain JSON say the same, whatever the order of their keys. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((value, i) => isEqual(value, b[i]))
  }
  if (Array.isArray(b)) return false
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>]
  let keys = 0
  for (const key in one) {
    if (!(key in other) || !isEqual(one[key], other[key])) return false
    keys++
  }
  return keys === Object.keys(other).length
}
