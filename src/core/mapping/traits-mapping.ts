import { z } from 'zod'
import { column, delimiter, timeFormat, zone } from './source-mapping.ts'
import { traitName } from './usage-mapping.ts'

const file = z.strictObject({
  delimiter,
  /** Whom a line is about. */
  id: z.strictObject({
    column,
    /** What stands in the column: an address, a company's domain, or an id of a source. */
    is: z
      .string()
      .regex(
        /^(email|domain|[a-z][a-z0-9-]{0,40}\/[uda])$/,
        'write email, domain, or the kind of id with its source: amplitude/u for user ids, /d for devices, /a for aliases',
      ),
  }),
  /** Since when it is so; without it, since the file was loaded. */
  date: z.strictObject({ column, format: timeFormat, zone }).optional(),
  /** Columns by the name of the trait. */
  traits: z
    .record(traitName, column)
    .refine((t) => Object.keys(t).length > 0, 'name one trait at least'),
})

/** Files of traits that are loaded with `ripen traits`, by name (mappings/traits.yaml). */
export const traitsMappingSchema = z.strictObject({
  version: z.literal(1),
  files: z.record(
    z.string().regex(/^[a-z][a-z0-9-]{0,40}$/, 'use lower-case letters, digits and -'),
    file,
  ),
})

export type TraitsMapping = z.output<typeof traitsMappingSchema>
export type TraitFile = TraitsMapping['files'][string]

export const NO_TRAITS_MAPPING: TraitsMapping = { version: 1, files: {} }
