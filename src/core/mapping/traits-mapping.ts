import { z } from 'zod'
import { FORMAT_1 } from './format.ts'
import { column, delimiter, timeColumn, timeFormat, zone } from './source-mapping.ts'
import { traitName } from './usage-mapping.ts'

const file = z.strictObject({
  delimiter,
  id: z
    .strictObject({
      column: column.describe('The column that says whom a line is about.'),
      is: z
        .string()
        .regex(
          /^(email|domain|[a-z][a-z0-9-]{0,40}\/[uda])$/,
          'write email, domain, or the kind of id with its source: amplitude/u for user ids, /d for devices, /a for aliases',
        )
        .describe('What stands there: email, domain, or an id of a source such as amplitude/u.'),
    })
    .describe('Whom a line is about.'),
  date: z
    .strictObject({ column: timeColumn, format: timeFormat, zone })
    .describe('Since when it is so; since the file was loaded when left out.')
    .optional(),
  traits: z
    .record(traitName, column)
    .refine((t) => Object.keys(t).length > 0, 'name one trait at least')
    .meta({ minProperties: 1 })
    .describe('Columns by the name of the trait.'),
})

/** Files of traits that are loaded with `ripen traits`, by name (mappings/traits.yaml). */
export const traitsMappingSchema = z.strictObject({
  version: FORMAT_1,
  files: z
    .record(
      z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'use lower-case letters, digits and -'),
      file,
    )
    .describe('What the columns of a file mean, by the name that ripen traits gives with --as.'),
})

export type TraitsMapping = z.output<typeof traitsMappingSchema>
export type TraitFile = TraitsMapping['files'][string]

export const NO_TRAITS_MAPPING: TraitsMapping = { version: 1, files: {} }
