/** An instant as Salesforce tells it (`2026-01-01T00:00:00.000+0000`), or a day, as ISO 8601 UTC; null without one. */
export function readInstant(text: string | null | undefined): string | null {
  if (!text) return null
  const at = new Date(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}

/** A value of a field as the port has it: text, with instants in ISO 8601 UTC; null when there is none. */
export function readValue(value: unknown): string | null {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  if (typeof value !== 'string' || value === '') return null
  return /^\d{4}-\d{2}-\d{2}T[\d:.]+[+-]\d{4}$/.test(value) ? readInstant(value) : value
}
