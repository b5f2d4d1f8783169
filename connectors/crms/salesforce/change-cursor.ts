import { z } from 'zod'
import { ConfigError } from '../../../src/core/errors.ts'

const ms = z.number().int()

const passShape = z.object({
  /** The window of this pass, half-open. */
  start: ms,
  end: ms,
  /** Where the next pass begins. */
  next: ms,
  /** Records up to this one are done, by instant and id. */
  after: z.object({ at: z.string(), id: z.string() }).nullable(),
})
/** Part of a window that was not read to its end. */
export type Pass = z.output<typeof passShape>

const placeShape = z.object({
  /** Changes from this instant on are still to come. */
  from: ms,
  /** Deletions from this instant on are still to come. */
  deletedFrom: ms,
  pass: passShape.nullable(),
})
export type Place = z.output<typeof placeShape>

const cursorShape = z.strictObject({
  /** Which of the objects is read next. */
  turn: z.number().int().min(0),
  places: z.record(z.string(), placeShape),
})
export type Cursor = z.output<typeof cursorShape>

export function cursorText(cursor: Cursor): string {
  return JSON.stringify(cursor)
}

/** @throws {ConfigError} when it is no cursor of ours. */
export function parseCursor(text: string): Cursor {
  try {
    return cursorShape.parse(JSON.parse(text))
  } catch {
    throw new ConfigError('The cursor of the changes cannot be read; delete it from crm_cursor.')
  }
}

const MINUTE_MS = 60_000

/**
 * The window to ask for: whole minutes, since Salesforce leaves out the seconds, and more than one of them.
 * The minute that is not over yet waits. Null when there is no window yet.
 */
export function windowFrom(from: number, now: number): { start: number; end: number } | null {
  const start = wholeMinute(from)
  const end = wholeMinute(now)
  return end - start >= 2 * MINUTE_MS ? { start, end } : null
}

export function wholeMinute(at: number): number {
  return Math.floor(at / MINUTE_MS) * MINUTE_MS
}
