import type { CrmValue } from '../ports/crm.ts'

/** True when the text that a CRM gives for a property means our value. */
export function sameValue(value: CrmValue, text: string | null): boolean {
  const isEmpty = value === null || value === '' || (isList(value) && value.length === 0)
  if (isEmpty) return text === null || text === ''
  if (text === null) return false
  if (isList(value)) return sameChoices(value, text)
  if (typeof value === 'number') return text !== '' && Number(text) === value
  if (typeof value === 'boolean') return text === String(value)
  if (text === value || sameLines(value, text)) return true
  if (isDay(value)) return toInstant(text) === `${value}T00:00:00.000Z`
  return isInstant(value) && sameInstant(Date.parse(value), Date.parse(toInstant(text)))
}

/** Some CRMs end lines otherwise, and cut off spaces. */
const sameLines = (ours: string, theirs: string): boolean =>
  ours.replace(/\r\n?/g, '\n').trim() === theirs.replace(/\r\n?/g, '\n').trim()

const isList = (value: CrmValue): value is readonly string[] => Array.isArray(value)

/** The CRM gives chosen options in its own order, with semicolons between. */
function sameChoices(value: readonly string[], text: string): boolean {
  const chosen = new Set(text.split(';').filter(Boolean))
  return chosen.size === new Set(value).size && value.every((option) => chosen.has(option))
}

/** Some CRMs keep whole seconds and leave out the rest. */
const sameInstant = (ours: number, theirs: number): boolean =>
  ours === theirs || (theirs % 1_000 === 0 && Math.floor(ours / 1_000) * 1_000 === theirs)

const isDay = (text: string): boolean => /^\d{4}-\d{2}-\d{2}$/.test(text)
const isInstant = (text: string): boolean => /^\d{4}-\d{2}-\d{2}T.*Z$/.test(text)
/** Some answers give date-times as milliseconds. */
const toInstant = (text: string): string =>
  /^\d{11,14}$/.test(text) ? new Date(Number(text)).toISOString() : text
