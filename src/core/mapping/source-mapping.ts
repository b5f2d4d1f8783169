import { z } from 'zod'
import { FORMAT_1 } from './format.ts'

/** The name of a column of a file. */
export const column = z
  .string()
  .regex(/^[^"\\]{1,120}$/, 'write the name of a column, without " and \\')

/** The column that says when. */
export const timeColumn = column.describe('The column with the time.')

/** What DuckDB's strptime knows, with or without the `-` that allows a missing leading zero. */
const PATTERN = /^(?:[^%]|%-?[aAbBdfgHIjmMnpSyYzZ]|%%)+$/

/** How a column says when. */
export const timeFormat = z
  .string()
  .refine(
    (format) =>
      ['iso', 'epoch-s', 'epoch-ms'].includes(format) ||
      (format.includes('%') && PATTERN.test(format)),
    'write iso, epoch-s, epoch-ms, or a pattern such as %d/%m/%Y %H:%M:%S',
  )
  .default('iso')
  .describe('How it says when: iso, epoch-s, epoch-ms, or a pattern such as %d/%m/%Y.')

/** Whose clock a column goes by where it does not say so itself. */
export const zone = z
  .string()
  .refine(isTimeZone, 'write an IANA time zone such as Europe/Berlin')
  .default('UTC')
  .describe('IANA time zone of instants that do not name theirs.')

/** Between two columns of a CSV file. */
export const delimiter = z
  .string()
  .length(1, 'write one character')
  .refine((d) => !/["\r\n]/.test(d), 'a quote or the end of a line cannot part columns')
  .default(',')
  .describe('One character between two columns of a CSV file.')

const event = z
  .strictObject({
    column: column.describe('The column that holds the name of the event.').optional(),
    always: z.string().min(1).max(200).describe('The one name of all events.').optional(),
  })
  .refine(
    (e) => (e.column === undefined) !== (e.always === undefined),
    'give either column, where the name of the event stands, or always, its one name',
  )
  .meta({ minProperties: 1, maxProperties: 1 })

const columns = z
  .strictObject({
    time: z
      .strictObject({ column: timeColumn, format: timeFormat, zone })
      .describe('When it happened.'),
    event: event.describe('What happened.'),
    user: column.describe('The column with the id of the user.').optional(),
    device: column.describe('The column with the id of the device.').optional(),
    groups: z
      .record(z.string().regex(/^[^"\\]{1,120}$/), column)
      .default({})
      .describe('Columns that hold the key of a group, by type: group.<type> in usage.yaml.'),
    id: column
      .describe('The column that names an event: two lines with the same one are copies.')
      .optional(),
  })
  .refine((c) => c.user !== undefined || c.device !== undefined, {
    path: ['user'],
    message: 'give user or device, the column that says who did it',
  })
  .meta({ anyOf: [{ required: ['user'] }, { required: ['device'] }] })

/** A source of a customer's own: files of events, and what their columns mean (mappings/sources/*.yaml). */
export const sourceMappingSchema = z.strictObject({
  version: FORMAT_1,
  format: z.enum(['csv', 'jsonl']).describe('CSV with a header, or one JSON object a line.'),
  delimiter,
  replace: z
    .enum(['day', 'file'])
    .default('day')
    .describe(
      'What a file read again replaces: the UTC days of its events, or the file of its name.',
    ),
  columns: columns.describe('What the columns mean.'),
  properties: z
    .union([z.literal('all'), z.array(column)])
    .default('all')
    .describe('Which columns can be looked at as event.<column>: all, or a list.'),
})

export type SourceMapping = z.output<typeof sourceMappingSchema>

/** Names that no declared source may have: they name something else wherever sources stand. */
export const TAKEN_SOURCE_NAMES: readonly string[] = ['amplitude', 'mixpanel', 'email', 'all']

/** Why a source cannot have this name, or null. */
export function sourceNameProblem(name: string): string | null {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name) || name.includes('-rollup')) {
    return `${name} cannot name a source; use lower-case letters, digits and -`
  }
  if (TAKEN_SOURCE_NAMES.includes(name)) return `${name} names something else; take another name`
  return null
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return !/^[+-]/.test(name)
  } catch {
    return false
  }
}
