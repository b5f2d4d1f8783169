import type { PropertyDefinition } from './property-definition.ts'

const blockEnd = /<(br|\/p|\/div|\/li|\/h[1-6]|\/tr|\/ul|\/ol)\b[^>]*>/gi

/** A stored value as a person reads it. */
export function readable(
  definition: PropertyDefinition | undefined,
  value: string | undefined,
): string {
  if (value === undefined) return ''
  switch (definition?.type) {
    case 'datetime':
      return readableTime(Date.parse(value))
    case 'bool':
      return value === 'true' ? 'Yes' : 'No'
    case 'enumeration': {
      const labels = new Map(definition.options.map((option) => [option.value, option.label]))
      return value
        .split(';')
        .map((option) => labels.get(option) ?? option)
        .join(', ')
    }
    default:
      return definition?.fieldType === 'html' ? plainText(value) : value
  }
}

/** A moment as `2026-11-21 23:15:07`, in UTC. */
export function readableTime(ms: number): string {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 19).replace('T', ' ')
}

/** The text of a piece of HTML, a line for each block. */
export function plainText(markup: string): string {
  return markup
    .replace(/<li\b[^>]*>/gi, '• ')
    .replace(blockEnd, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&nbsp;', ' ')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}
