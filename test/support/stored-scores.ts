import { sql } from 'kysely'
import type { Db } from '../../src/infra/postgres/database.ts'

/** Everything that is stored of scores, but for what tells when it was stored. */
export async function storedScores(db: Db) {
  const { rows } = await sql<Record<string, unknown>>`select to_jsonb(s) as s,
      (select jsonb_agg(to_jsonb(c) - 'id' - 'recorded_at' order by id) from score_change c
        where c.subject_id = s.subject_id and c.model = s.model) as changes
    from score s order by subject_id, model`.execute(db)
  return rows
}
