import { sql } from 'kysely'
import { z } from 'zod'
import type { ProfileSource, UsageSource } from '../../src/core/ports/usage-source.ts'
import { covers, neededPlaces } from '../../src/core/usage/kept.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import { readCursor, saveCursor } from '../../src/infra/postgres/source-cursors.ts'
import type { JobContext } from '../context.ts'
import { storeBatches } from './store-batches.ts'

/**
 * Pages that one pull fetches: the vendor's allowance is shared with the events, which come first. A
 * larger set goes on with the next pull.
 */
const PAGES_PER_PULL = 8

const stateSchema = z.object({
  next: z.object({ session: z.string(), page: z.number().int() }).nullable(),
  /** When the last pass over the whole set began; null while the first one lasts. */
  wholeSince: z.iso.datetime().nullable(),
  passSince: z.iso.datetime(),
  /** Pages of the last whole pass. */
  pages: z.number().int(),
})
type PassState = z.output<typeof stateSchema>

/** Pulls pages of profiles that are due, each into a window of its own. */
export async function pullProfiles(
  context: JobContext,
  source: UsageSource,
  dir: string,
  signal: AbortSignal,
): Promise<{ profiles: number }> {
  const { profiles } = source
  if (!profiles) return { profiles: 0 }
  let [left, rows] = [PAGES_PER_PULL, 0]
  for (const set of profiles.sets) {
    let state = await dueState(context, source, profiles, set)
    while (state !== null && left > 0) {
      left -= 1
      const page = await profiles.page(set, state.next, dir, context.clock(), signal)
      if (page === null) {
        state = { ...state, next: null }
      } else {
        const known = state.pages
        const gone = page.next ? [] : pagesFrom(profiles, set, numberOf(state) + 1, known)
        const stored = await storeBatches(context, source, batchesOf(page), [
          page.windowKey,
          ...gone,
        ])
        rows += stored['rows'] ?? 0
        state = page.next
          ? { ...state, next: page.next }
          : { ...state, next: null, wholeSince: state.passSince, pages: numberOf(state) + 1 }
      }
      await saveCursor(context.db, source.name, nameOf(set), state)
      if (page && !page.next) state = null
    }
  }
  return { profiles: rows }
}

const nameOf = (set: string): string => `profiles ${set}`
const numberOf = ({ next }: PassState): number => next?.page ?? 0

/** The pass over a set that is under way or due now; null when there is nothing to do. */
async function dueState(
  context: JobContext,
  source: UsageSource,
  profiles: ProfileSource,
  set: string,
): Promise<PassState | null> {
  const now = context.clock()
  const state = await readCursor(context.db, source.name, nameOf(set), stateSchema)
  const fresh = { next: null, wholeSince: null, passSince: now.toISOString(), pages: 0 }
  if (state === null) return fresh
  const underWay = state.wholeSince === null || state.passSince !== state.wholeSince
  if (underWay) return state
  const due = now.getTime() - Date.parse(state.passSince) >= profiles.everyMs
  if (!due && (await keepsEnough(context, source, profiles.windowKey(set, 0)))) return null
  return { ...state, next: null, passSince: now.toISOString() }
}

/** False when the tracking plan looks at more now than when profiles were stored. */
async function keepsEnough(
  { db }: JobContext,
  source: UsageSource,
  windowKey: string,
): Promise<boolean> {
  const row = await db
    .selectFrom('source_window as w')
    .innerJoin('lake_file as f', 'f.id', 'w.file_id')
    .select('f.kept')
    .where('w.source', '=', source.name)
    .where(sql<boolean>`w.window_key = ${windowKey}`)
    .executeTakeFirst()
  return !row || covers(row.kept, neededPlaces((await readPublished(db)).set.usage))
}

/** Windows of pages that a longer pass had. */
function pagesFrom(profiles: ProfileSource, set: string, from: number, to: number): string[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => profiles.windowKey(set, from + i))
}

async function* batchesOf<T>({ batch }: { readonly batch: T }): AsyncGenerator<T> {
  yield batch
}
