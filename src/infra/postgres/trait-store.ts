import { sql } from 'kysely'
import type { Traits } from '../../core/scoring/features.ts'
import type { Db, Tx } from './database.ts'

/** Which moment is asked about. */
export interface TraitTime {
  readonly asOf: Date
  readonly knownAt?: Date
}

/** Traits of people and accounts; null for all subjects. */
export async function readTraits(
  db: Db | Tx,
  subjectIds: readonly string[] | null,
  _at: TraitTime,
): Promise<ReadonlyMap<string, Traits>> {
  const rows = await db
    .selectFrom('person')
    .select(['id', 'email_kind', 'traits'])
    .$if(subjectIds !== null, (q) =>
      q.where(sql<boolean>`id = any(${[...(subjectIds ?? [])]}::text[])`),
    )
    .execute()
  return new Map(
    rows.map(({ id, email_kind, traits }) => {
      const all = Object.entries({ ...(traits as Record<string, string>), email_kind })
      return [id, Object.fromEntries(all.map(([name, value]) => [name, [value]]))]
    }),
  )
}
