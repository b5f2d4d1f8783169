import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { compose } from '../../src/app/compose.ts'
import { readConfig } from '../../src/infra/config.ts'
import { tuneHeap } from '../../src/infra/heap.ts'
import { readMappingFolder } from '../../src/infra/mappings/folder.ts'
import { publishMapping } from '../../src/infra/mappings/published.ts'
import { contender } from '../child.ts'
import { AS_OF, createCompany } from './company.ts'

export interface PipelineInput {
  readonly people: number
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
}

/** Seconds of wall and of the worker's processor, database not counted. */
export interface Timing {
  readonly seconds: number
  readonly cpuSeconds: number
}

export interface Pipeline {
  readonly people: number
  readonly scores: number
  /** Everybody for the first time: every score and its history is written. */
  readonly first: Timing
  /** Everybody two days later. */
  readonly again: Timing
  /** One in a hundred, another two days later. */
  readonly touched: Timing
  readonly touchedPeople: number
  /** Of the scoring alone, before anything else was measured. */
  readonly rssMb: number
}

const MAPPINGS = fileURLToPath(new URL('mappings', import.meta.url))
const DAY_MS = 86_400_000

tuneHeap()
await contender(async ({ people, dataDir, databaseUrl }: PipelineInput) => {
  const config = readConfig({
    RIPEN_DATA_DIR: dataDir,
    RIPEN_LOG_LEVEL: 'error',
    RIPEN_DUCKDB_THREADS: '2',
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
  })
  let now = AS_OF
  const app = await compose({ config, clock: () => now })
  const { context, engine } = app
  try {
    await publishMapping(context.db, 'bench', await readMappingFolder(MAPPINGS))
    await createCompany(app, people)
    engine.start(['score'], [])
    const time = async (work: () => Promise<void>): Promise<Timing> => {
      const before = process.cpuUsage()
      const start = performance.now()
      await work()
      await engine.idle(['score'])
      const { user, system } = process.cpuUsage(before)
      return { seconds: (performance.now() - start) / 1000, cpuSeconds: (user + system) / 1e6 }
    }
    const first = await time(() => engine.request('score', 'all'))
    now = new Date(now.getTime() + 2 * DAY_MS)
    const again = await time(() => engine.request('score', 'all'))
    now = new Date(now.getTime() + 2 * DAY_MS)
    const touchedPeople = Math.round(people / 100)
    await sql`insert into touched (step, subject) select 'score', id from person
      order by md5(id) limit ${touchedPeople}`.execute(context.db)
    const touched = await time(() => engine.touch('score', 'all'))
    const { rows } = await sql<{ n: number }>`select count(*) as n from score`.execute(context.db)
    const rssMb = process.memoryUsage().rss / 1e6
    const scores = Number(rows[0]?.n ?? 0)
    return { seconds: first.seconds, people, scores, first, again, touched, touchedPeople, rssMb }
  } finally {
    await app.close()
  }
})
