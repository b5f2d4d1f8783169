import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type UsageMapping, usageMappingSchema } from '../../src/core/mapping/usage-mapping.ts'
import type { SqlQuery } from '../../src/core/ports/usage-source.ts'
import { EVERYTHING, keptPlaces } from '../../src/core/usage/kept.ts'
import { type Connection, type Duck, startDuck } from '../../src/infra/lake/duck.ts'
import { type EventsPlan, writeEventsFile } from '../../src/infra/lake/events-file.ts'
import type { LivePart } from '../../src/infra/postgres/manifest.ts'

/** One canonical event; what is left out is null, or what most events have. */
export interface EventRow {
  readonly window?: string | null
  readonly key: number
  readonly name?: string
  /** ISO 8601 UTC. */
  readonly at?: string | null
  readonly arrived?: string
  readonly user?: string
  readonly device?: string
  readonly alias?: string
  readonly event?: Readonly<Record<string, unknown>>
  readonly person?: Readonly<Record<string, unknown>>
  readonly groups?: Readonly<Record<string, unknown>>
}

/** A real DuckDB and an empty lake in a temporary folder. */
export interface TempLake {
  readonly dir: string
  readonly lakeDir: string
  readonly duck: Duck
  /** A source's query that yields these rows, in this order. */
  query(rows: readonly EventRow[]): Promise<SqlQuery>
  /** Writes these rows as one events file and returns all of its windows as live. */
  store(
    connection: Connection,
    rows: readonly EventRow[],
    source?: string,
  ): Promise<readonly LivePart[]>
  close(): Promise<void>
}

const DEFAULTS = { window: '2026-09-01', name: 'Query Run', at: '2026-09-01T10:00:00Z' }

export async function openTempLake(): Promise<TempLake> {
  const dir = await mkdtemp(join(tmpdir(), 'ripen-lake-'))
  const lakeDir = join(dir, 'lake')
  const duck = await startDuck({ dataDir: dir, memoryMb: 256, threads: 1 })
  let files = 0
  const lake: TempLake = {
    dir,
    lakeDir,
    duck,
    async query(rows) {
      const path = join(dir, `rows-${files++}.jsonl`)
      await writeFile(path, rows.map((row) => `${JSON.stringify(wire(row))}\n`).join(''))
      return { sql: SELECT, params: { path } }
    },
    async store(connection, rows, source = 'amplitude') {
      const events = await lake.query(rows)
      const file = await writeEventsFile(
        connection,
        lakeDir,
        source,
        events,
        planOf(usage(), [EVERYTHING]),
      )
      return file.windows.map((w) => ({ fileId: file.id ?? '', partition: w.key }))
    },
    async close() {
      duck.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
  return lake
}

const SELECT = `select window_key, event_key, name, occurred_at, arrived_at,
    user_id, device_id, alias_id, event_properties, user_properties, groups
  from read_json($path, format = 'newline_delimited', columns = {window_key: 'VARCHAR',
    event_key: 'UUID', name: 'VARCHAR', occurred_at: 'TIMESTAMP', arrived_at: 'TIMESTAMP',
    user_id: 'VARCHAR', device_id: 'VARCHAR', alias_id: 'VARCHAR', event_properties: 'JSON',
    user_properties: 'JSON', groups: 'JSON'})`

function wire(row: EventRow): Record<string, unknown> {
  const full = { ...DEFAULTS, ...row }
  const when = (iso: string | null) => iso?.replace('T', ' ').replace('Z', '') ?? null
  return {
    window_key: full.window,
    event_key: `00000000-0000-0000-0000-${String(full.key).padStart(12, '0')}`,
    name: full.name,
    occurred_at: when(full.at),
    arrived_at: when(row.arrived ?? full.at),
    user_id: row.user,
    device_id: row.device,
    alias_id: row.alias,
    event_properties: row.event,
    user_properties: row.person,
    groups: row.groups,
  }
}

/** What is stored of events: by default all that the small tracking plan looks at. */
export function planOf(mapping: UsageMapping = usage(), kept = keptPlaces(mapping)): EventsPlan {
  return { kept, facts: { usage: mapping, usageHash: JSON.stringify(mapping) } }
}

/** A small tracking plan, with parts of it replaced. */
export function usage(change: Readonly<Record<string, unknown>> = {}): UsageMapping {
  const action = (event: string, rest = {}) => ({
    label: event,
    family: 'usage',
    from: [{ event, ...rest }],
  })
  return usageMappingSchema.parse({
    version: 1,
    email: ['user.email', 'event.$email'],
    traits: { plan: ['user.plan', 'event.plan'] },
    actions: { query_run: { ...action('Query Run'), core: true }, opened: action('Opened') },
    ...change,
  })
}
