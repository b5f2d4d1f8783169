import { sql } from 'kysely'
import type { z } from 'zod'
import type { Db } from './database.ts'

/** What was remembered under this name for a source; null when nothing was. */
export async function readCursor<T extends z.ZodType>(
  db: Db,
  source: string,
  name: string,
  schema: T,
): Promise<z.output<T> | null> {
  const row = await db
    .selectFrom('source_cursor')
    .select('state')
    .where('source', '=', source)
    .where('name', '=', name)
    .executeTakeFirst()
  return row ? schema.parse(row.state) : null
}

/** Remembers a state, instead of the one before. */
export async function saveCursor(
  db: Db,
  source: string,
  name: string,
  state: Readonly<Record<string, unknown>>,
): Promise<void> {
  await db
    .insertInto('source_cursor')
    .values({ source, name, state: JSON.stringify(state) })
    .onConflict((c) =>
      c.columns(['source', 'name']).doUpdateSet((e) => ({
        state: e.ref('excluded.state'),
        changed_at: sql<Date>`now()`,
      })),
    )
    .execute()
}
