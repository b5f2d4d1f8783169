import type { CrmObject, CrmValue } from '../../../src/core/ports/crm.ts'

/** HubSpot's limit for one value, in characters. */
export const MAX_VALUE_CHARACTERS = 65_536

/** Properties ready to be sent, or the first one that has no meaning on the wire. */
export type WireProperties =
  | { readonly ok: true; readonly properties: Record<string, string> }
  | { readonly ok: false; readonly property: string }

/**
 * One value as HubSpot takes it: always a string. Null clears; instants and days are passed on as
 * they are (`…Z`, `YYYY-MM-DD`: a day names its own midnight UTC). Undefined for what has no meaning there.
 */
export function toWire(value: CrmValue): string | undefined {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'number') return Number.isFinite(value) ? plainNumber(value) : undefined
  return typeof value === 'string' ? cut(value, MAX_VALUE_CHARACTERS) : chosen(value)
}

/** All properties of one record; names are sorted, so that equal writes are equal on the wire. */
export function toWireProperties(values: Readonly<Record<string, CrmValue>>): WireProperties {
  const properties: Record<string, string> = {}
  for (const property of Object.keys(values).sort()) {
    const wire = toWire(values[property] ?? null)
    if (wire === undefined) return { ok: false, property }
    properties[property] = wire
  }
  return { ok: true, properties }
}

/** What HubSpot keeps of the values of a record. */
export function heldValues(
  object: CrmObject,
  values: Readonly<Record<string, CrmValue>>,
): Readonly<Record<string, CrmValue>> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (typeof value !== 'string') return [name, value]
      if (object === 'contact' && name === 'email') return [name, value.trim().toLowerCase()]
      if (object === 'company' && name === 'domain') return [name, toDomain(value)]
      return [name, cut(value, MAX_VALUE_CHARACTERS)]
    }),
  )
}

/** Of a website HubSpot keeps the host. */
function toDomain(value: string): string {
  const bare = value
    .trim()
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
  return (bare.split(/[/?#:]/, 1)[0] ?? '').replace(/^www\./, '')
}

/** The first `maxCharacters` UTF-16 units, never ending in half a character. */
export function cut(value: string, maxCharacters: number): string {
  if (value.length <= maxCharacters) return value
  const last = value.charCodeAt(maxCharacters - 1)
  const isHighSurrogate = last >= 0xd800 && last <= 0xdbff
  return value.slice(0, isHighSurrogate ? maxCharacters - 1 : maxCharacters)
}

/**
 * Chosen options. A semicolon in front would add to what is chosen already, and one inside of an option
 * would make two of it.
 */
function chosen(options: readonly string[]): string | undefined {
  if (options.some((option) => option === '' || option.includes(';'))) return undefined
  return [...new Set(options)].join(';')
}

function plainNumber(value: number): string {
  const shortest = String(value === 0 ? 0 : value)
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(shortest)
  if (!match) return shortest
  const [, sign = '', first = '', fraction = '', exponentText = '0'] = match
  const digits = first + fraction
  const exponent = Number(exponentText)
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  return sign + digits.padEnd(exponent + 1, '0')
}
