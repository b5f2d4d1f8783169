import { z } from 'zod'
import { ConfigError } from '../../../src/core/errors.ts'

const cursorShape = z.strictObject({
  /** Changes from this instant on are still to come, in milliseconds. */
  at: z.number().int(),
  /** Of the changes at this very instant, those of records up to this id are done; null: by instant. */
  id: z.string().nullable(),
  /** HubSpot's time when this pass began; null before its first answer. */
  began: z.number().nullable(),
})

/**
 * A place in the changes of an object. A pass goes from `at` to the newest change, by instant and, where a
 * page holds one instant only, by record id; the next one begins a little before this one began.
 */
export type Place = z.output<typeof cursorShape>

export function placeText(place: Place): string {
  return JSON.stringify(place)
}

/** @throws {ConfigError} when it is no cursor of ours. */
export function parsePlace(text: string): Place {
  try {
    return cursorShape.parse(JSON.parse(text))
  } catch {
    throw new ConfigError('The cursor of the changes cannot be read; delete it from crm_cursor.')
  }
}

/** One changed record as far as places go. */
export interface Changed {
  readonly id: string
  readonly at: number
}

export interface Step<Change> {
  /** What may be given away: all changes of these are in it. */
  readonly changes: readonly Change[]
  readonly place: Place
  readonly more: boolean
}

/**
 * Where an answer leads, in the order of the query: by instant, or by id within one instant.
 * Of a full page by instant, those of its last instant wait for the next page, which begins with it, since
 * there may be more of them and HubSpot promises no order among them.
 */
export function nextStep<Change extends Changed>(
  place: Place,
  page: readonly Change[],
  { full, beganAt, overlapMs }: { full: boolean; beganAt: number | null; overlapMs: number },
): Step<Change> {
  const began = place.began ?? beganAt
  const last = page.at(-1)
  if (place.id !== null) {
    const rest = full && last ? { at: place.at, id: last.id } : { at: place.at + 1, id: null }
    return { changes: page, place: { ...rest, began }, more: true }
  }
  if (full && last) {
    const changes = page.filter(({ at }) => at < last.at)
    const id = changes.length === 0 ? '0' : null
    return { changes, place: { at: last.at, id, began }, more: true }
  }
  // Without HubSpot's own time only what was seen tells how far it is.
  const seenTo = began ?? last?.at ?? place.at + overlapMs
  return { changes: page, place: { at: seenTo - overlapMs, id: null, began: null }, more: false }
}
