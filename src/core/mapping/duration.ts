import { z } from 'zod'

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** A length of time as RevOps writes it (`15m`, `4h`, `30d`), as milliseconds. */
export const durationMs = z
  .string('write a duration such as 15m, 4h or 30d')
  .regex(/^[1-9]\d{0,4}[mhd]$/, 'write a duration such as 15m, 4h or 30d')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.at(-1) as keyof typeof UNIT_MS])

/** The same, for lengths that must be whole days; the result is in days. */
export const durationDays = z
  .string('write whole days, such as 30d')
  .regex(/^[1-9]\d{0,3}d$/, 'write whole days, such as 30d')
  .transform((text) => Number(text.slice(0, -1)))
