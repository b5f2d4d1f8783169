import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { withApp } from '../../src/app/cli/with-app.ts'
import type { App } from '../../src/app/compose.ts'
import { readConfig } from '../../src/infra/config.ts'
import { loadLive } from '../../src/infra/lake/live.ts'
import { liveRollups } from '../../src/infra/postgres/manifest.ts'
import { contender } from '../child.ts'

export interface IngestInput {
  readonly source: 'amplitude' | 'mixpanel'
  readonly files: string
  readonly dataDir: string
  readonly threads: number
  readonly memoryMb: number
}

/** What came out of an ingestion. */
export interface Ingested {
  readonly rows: number
  readonly events: number
  readonly people: number
  readonly rollup: readonly {
    readonly action: string
    readonly rows: number
    /** Fewest and most events in one row. */
    readonly least: number
    readonly most: number
  }[]
}

const STEPS = ['pull', 'rollup', 'identity'] as const
const MAPPINGS = fileURLToPath(new URL('../../mappings', import.meta.url))

// What `ripen pull --source … --files …` does, from the request to idle.
await contender(async ({ source, files, dataDir, threads, memoryMb }: IngestInput) => {
  const config = readConfig({
    RIPEN_DATA_DIR: dataDir,
    RIPEN_DUCKDB_THREADS: String(threads),
    RIPEN_DUCKDB_MEMORY_MB: String(memoryMb),
  })
  return withApp({ config, mappings: MAPPINGS }, async (app) => {
    app.engine.start(STEPS, [])
    const start = performance.now()
    await app.engine.request('pull', source, { files: [files] })
    await app.engine.idle(['pull'], [source])
    await app.engine.idle(['rollup', 'identity'], [source])
    const seconds = (performance.now() - start) / 1000
    return { seconds, ...(await lookAt(app)) }
  })
})

async function lookAt({ context }: App): Promise<Ingested> {
  const { rows } = await sql<{ rows: number; events: number; people: number }>`select
    (select coalesce(sum(rows), 0) from source_window)::float8 as rows,
    (select coalesce(sum(events), 0) from rollup_day)::float8 as events,
    (select count(*) from person)::float8 as people`.execute(context.db)
  const [totals] = rows
  if (!totals) throw new Error('no totals')
  const parts = await liveRollups(context.db)
  const rollup = await context.duck.connect(async (connection) => {
    const paths = await loadLive(connection, context.lakeDir, parts)
    return connection.rows(
      `select action, count(*)::double as rows, min(count)::double as least, max(count)::double as most
       from read_parquet($paths, filename = true) r
       semi join live on r.filename = live.path and r.day::varchar = live.partition
       group by action order by action`,
      { paths },
    )
  })
  return { ...totals, rollup: rollup as unknown as Ingested['rollup'] }
}
