import type { SchemaField } from './change-schema.ts'

/**
 * Names of fields as bitmaps over the schema: one for the top, and one for each compound whose parts
 * are meant, after its place and a dash. The header is the schema's first field.
 */
export function fieldBitmaps(
  fields: readonly SchemaField[],
  names: ReadonlySet<string>,
): readonly string[] {
  if (names.size === 0) return []
  const top: number[] = []
  const nested: string[] = []
  for (const [place, { parts, isCompound }] of fields.entries()) {
    const meant = parts.flatMap(({ field }, part) => (names.has(field.name) ? [part] : []))
    if (meant.length === 0) continue
    if (isCompound) nested.push(`${place + 1}-${hex(meant)}`)
    else top.push(place + 1)
  }
  if (top.length === 0 && nested.length === 0) return []
  return [hex(top), ...nested]
}

/** Bits counted from the right, in capital hexadecimal digits. */
function hex(places: readonly number[]): string {
  const bits = places.reduce((sum, place) => sum | (1n << BigInt(place)), 0n)
  const digits = bits.toString(16).toUpperCase()
  return `0x${digits.padStart(Math.ceil(digits.length / 2) * 2, '0')}`
}
