import { z } from 'zod'

const owner = z.email('write the e-mail address of somebody who owns records in the CRM')
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'write a time such as 09:00')
const zone = z.string().refine(isTimeZone, 'write an IANA time zone such as Europe/Berlin')

const absence = z
  .strictObject({
    from: z.iso.date().describe('The first day, YYYY-MM-DD.'),
    to: z.iso.date().describe('The last day.'),
  })
  .refine(({ from, to }) => from <= to, { path: ['to'], message: 'comes before from' })

const member = z.strictObject({
  owner,
  weight: z.number().int().min(1).max(100).default(1).describe('Against that of the others.'),
  capacity: z.number().int().min(1).describe('Most tasks open at a time.').optional(),
  absent: z.array(absence).default([]),
})

/** One way to find out whose task it is. */
export const taskAssignment = z.union(
  [
    z.enum(['record-owner', 'account-owner', 'deal-owner']),
    z.strictObject({
      territory: z.string().min(1).describe('A trait whose value names the territory.'),
      owners: z.record(z.string().min(1), owner).describe('Owners by that value.'),
    }),
    z.strictObject({ 'round-robin': z.array(member).min(1) }),
  ],
  'write record-owner, account-owner, deal-owner, { territory: …, owners: … } or { round-robin: … }',
)

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const

/** When somebody works: the time that a task leaves its owner runs only then. */
export const workingHours = z
  .strictObject({
    days: z.array(z.enum(WEEKDAYS)).min(1).default(['mon', 'tue', 'wed', 'thu', 'fri']),
    from: clock,
    to: clock,
    zone: zone.describe('Of owners for whom none is known.'),
    zones: z
      .record(owner, zone)
      .transform(inLowerCase)
      .default({})
      .describe('By owner, before what the CRM says.'),
    holidays: z.array(z.iso.date()).default([]),
  })
  .refine(({ from, to }) => from < to, { path: ['to'], message: 'must be later than from' })

export type TaskAssignment = z.output<typeof taskAssignment>
export type TeamMember = z.output<typeof member>
export type WorkingHours = z.output<typeof workingHours>

/** Owners are looked up in lower case, however somebody wrote their addresses. */
function inLowerCase<Value>(record: Readonly<Record<string, Value>>): Record<string, Value> {
  return Object.fromEntries(Object.entries(record).map(([key, one]) => [key.toLowerCase(), one]))
}

/** Named zones only: an offset has no daylight saving. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
