import type { FindingPlace } from '../../core/mapping/finding-places.ts'
import { placeOf } from '../../core/mapping/parse-yaml.ts'
import type { Finding } from '../../core/ports/crm-check.ts'

const MARKS = { ok: '✔', warning: '!', error: '✖' } as const

/** A finding on one line, with its place in the files before it where there is one, and what to do about it on the next. */
export function describeFinding({
  level,
  about,
  what,
  mend,
  at = null,
}: Finding & { readonly at?: FindingPlace | null }): string[] {
  const where = at === null || level === 'ok' ? '' : `${placeOf({ ...at, message: '' })} `
  const line = `${MARKS[level]} ${where}${about}: ${what}`
  return mend === null ? [line] : [line, `    ${mend}`]
}
