/** An instant as HubSpot writes it, in ISO 8601 or in milliseconds, as ISO 8601 UTC; null for anything else. */
export function readInstant(text: string | null | undefined): string | null {
  if (!text) return null
  const ms = /^\d{11,14}$/.test(text) ? Number(text) : Date.parse(text)
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}
