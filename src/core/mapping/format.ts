import { z } from 'zod'

/** The format of a mapping file: it rises when files must be written in another way. */
export const FORMAT_1 = z.literal(1).describe('The format of this file: 1.')
