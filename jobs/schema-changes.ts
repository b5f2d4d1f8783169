import { eventUse } from '../src/core/usage/event-use.ts'
import { neededPlaces } from '../src/core/usage/kept.ts'
import { findNameChanges } from '../src/core/usage/schema-drift.ts'
import { readPublished } from '../src/infra/mappings/published.ts'
import { readSeen, storeChanges } from '../src/infra/postgres/schema-store.ts'
import type { JobContext } from './context.ts'

/** Compares what a source sends with what it used to send, and notes what changed. */
export async function noteSchemaChanges({ db }: JobContext, source: string): Promise<void> {
  const { usage } = (await readPublished(db)).set
  const places = new Set(neededPlaces(usage))
  const changes = findNameChanges(await readSeen(db, source)).map((change) => ({
    ...change,
    mapped:
      change.kind === 'property'
        ? places.has(change.name)
        : eventUse(usage, source, change.name).use === 'mapped',
  }))
  await storeChanges(db, source, changes)
}
