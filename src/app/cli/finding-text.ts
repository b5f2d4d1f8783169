import type { Finding } from '../../core/ports/crm-check.ts'

const MARKS = { ok: '✔', warning: '!', error: '✖' } as const

/** A finding on one line, and what to do about it on the next. */
export function describeFinding({ level, about, what, mend }: Finding): string[] {
  const line = `${MARKS[level]} ${about}: ${what}`
  return mend === null ? [line] : [line, `    ${mend}`]
}
