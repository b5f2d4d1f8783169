import { RE2JS } from 're2js'
import { z } from 'zod'

/** A regular expression that DuckDB can run: RE2's, which has no look-around and no back-references. */
export const pattern = z
  .string()
  .min(1)
  .max(500)
  .superRefine((text, context) => {
    try {
      RE2JS.compile(text)
    } catch (error) {
      const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : ''
      context.addIssue({
        code: 'custom',
        message: `RE2 cannot read this pattern (${why}); it has no look-around and no back-references`,
      })
    }
  })
