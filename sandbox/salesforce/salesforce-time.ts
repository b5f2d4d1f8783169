const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const DATE_TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}:\d{2}:\d{2})(?:\.(\d{1,3}))?(Z|[+-]\d{2}:?\d{2})?$/

/** A moment as answers show it; stamps that Salesforce sets itself are whole seconds. */
export function showDateTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000')
}

export function wholeSecond(at: number): number {
  return Math.floor(at / 1000) * 1000
}

export function showDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** Milliseconds since 1970 of a text such as `2026-01-31T10:00:00.000+0000`; undefined for no time. */
export function readDateTime(text: string): number | undefined {
  const found = DATE_TIME.exec(text)
  if (found === null) return undefined
  const [, date = '', time = '', fraction = '0', zone = 'Z'] = found
  const offset = zone === 'Z' || zone.includes(':') ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`
  const at = Date.parse(`${date}T${time}.${fraction.padEnd(3, '0')}${offset}`)
  return Number.isNaN(at) || readDate(date) === undefined ? undefined : at
}

/** The same date if there is such a day. */
export function readDate(text: string): string | undefined {
  if (!DATE.test(text)) return undefined
  const at = Date.parse(`${text}T00:00:00.000Z`)
  return Number.isNaN(at) || showDate(at) !== text ? undefined : text
}
