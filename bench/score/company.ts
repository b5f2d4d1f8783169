import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { sql } from 'kysely'
import type { App } from '../../src/app/compose.ts'
import { insertFile } from '../../src/infra/postgres/manifest.ts'
import { liveGeneration } from '../../src/infra/postgres/rollup-generations.ts'

/** Days of history, those of one rollup file, and the first of them. */
const DAYS = 60
const FILE_DAYS = 15
const FIRST_DAY = '2026-07-01'
/** When the history ends. */
export const AS_OF = new Date('2026-08-30T00:00:00Z')

/** People of one account. */
const TEAM = 4

/**
 * A company of so many people: rows in PostgreSQL, and rollups in the lake with about 60 rows for each
 * person, five on every fifth of 60 days.
 */
export async function createCompany({ context }: App, people: number): Promise<void> {
  const { db, lakeDir } = context
  await sql`insert into account (id, key, domain, name)
    select 'acc_' || md5(n::text), 'domain:' || n, n || '.example', n::text
    from generate_series(0, ${Math.ceil(people / TEAM) - 1}::int) n`.execute(db)
  await sql`insert into person (id, email, email_kind, account_id)
    select 'per_' || md5(n::text), n || '@x.example', case when n % 10 = 0 then 'free' else 'business' end,
      'acc_' || md5((n / ${TEAM}::int)::text)
    from generate_series(0, ${people - 1}::int) n`.execute(db)
  await sql`insert into identity_node (node, person_id)
    select 'amplitude/u:' || lpad(n::text, 8, '0'), 'per_' || md5(n::text)
    from generate_series(0, ${people - 1}::int) n`.execute(db)
  await sql`analyze`.execute(db)
  await mkdir(lakeDir, { recursive: true })
  const generation = await liveGeneration(db)
  const duck = await DuckDBInstance.create(':memory:', { memory_limit: '600MB', threads: '2' })
  try {
    const connection = await duck.connect()
    for (let from = 0; from < DAYS; from += FILE_DAYS) {
      const id = `amplitude-rollup-bench-${from}`
      await connection.run(rollupSql(people, from, join(lakeDir, `${id}.parquet`)))
      await db.transaction().execute(async (tx) => {
        await insertFile(tx, { id, source: 'amplitude', kind: 'rollup', rows: people, bytes: 1 })
        await sql`insert into rollup_day (source, generation, day, file_id, events, requested, done)
          select 'amplitude', ${generation}, ${FIRST_DAY}::date + n, ${id}, 1, 1, 1
          from generate_series(${from}::int, ${from + FILE_DAYS - 1}::int) n`.execute(tx)
      })
    }
    connection.closeSync()
  } finally {
    duck.closeSync()
  }
}

/** In the order of days and profiles, as rollups are. */
function rollupSql(people: number, from: number, path: string): string {
  return `copy (
    select 'u:' || lpad(i::varchar, 8, '0') as profile,
      case k when 0 then '$any' when 1 then '$core'
        else 'a' || ((hash(i, d) + k * 5) % 18)::varchar end as action,
      date '${FIRST_DAY}' + d::integer as day,
      (1 + hash(i, d, k) % 5)::bigint as count,
      timestamp '${FIRST_DAY} 08:00:00' + to_days(d::integer) + to_seconds(i % 3600) as first_at,
      timestamp '${FIRST_DAY} 18:00:00' + to_days(d::integer) + to_seconds(i % 3600) as last_at
    from range(${from}, ${from + FILE_DAYS}) t(d), range(${people}) p(i), range(5) a(k)
    where (i + d) % 5 = 0) to '${path.replaceAll("'", "''")}' (format parquet, compression zstd)`
}
