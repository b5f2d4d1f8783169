import type { IdentityFact } from '../../core/identity/people.ts'
import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { factsPath } from './paths.ts'

/** What the live windows of one source say about identities: one fact for each profile, kind and value. */
export async function readFacts(
  connection: Connection,
  lakeDir: string,
  source: string,
  live: readonly LivePart[],
): Promise<IdentityFact[]> {
  if (live.length === 0) return []
  const pathOf = live.map((part) => factsPath(lakeDir, part.fileId))
  await connection.run(
    `create or replace temp table live as
     select unnest($paths::varchar[]) as path, unnest($partitions::varchar[]) as partition`,
    { paths: pathOf, partitions: live.map((part) => part.partition) },
  )
  const rows = await connection.rows(
    `select profile, kind, value, min(first_at) as first_at, max(last_at) as last_at
     from read_parquet($paths, filename = true) f
     semi join live on f.filename = live.path and f.window_key = live.partition
     group by profile, kind, value`,
    { paths: [...new Set(pathOf)] },
  )
  return rows.map((row) => ({
    source,
    profile: String(row['profile']),
    kind: String(row['kind']),
    value: String(row['value']),
    firstAt: row['first_at'] as Date,
    lastAt: row['last_at'] as Date,
  }))
}
