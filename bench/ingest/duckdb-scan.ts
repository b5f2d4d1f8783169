import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startDuck } from '../../src/infra/lake/duck.ts'
import { contender } from '../child.ts'

export interface ScanInput {
  readonly folder: string
  readonly dir: string
  readonly threads: number
  readonly memoryMb: number
  readonly source: 'amplitude' | 'mixpanel'
}

/** The columns that the connectors read, with their types. */
const COLUMNS = {
  amplitude: {
    TIMESTAMP: ['event_time', 'client_event_time', 'server_upload_time'],
    VARCHAR: ['uuid', 'event_type', 'user_id', 'device_id', 'amplitude_id'],
    JSON: ['event_properties', 'user_properties', 'groups'],
  },
  mixpanel: { VARCHAR: ['event'], JSON: ['properties'] },
} as const

// Reads what the connector reads, and nothing is done with it; no column can be skipped.
await contender(async ({ folder, dir, threads, memoryMb, source }: ScanInput) => {
  const files = (await readdir(folder)).map((name) => join(folder, name))
  const duck = await startDuck({ dataDir: dir, threads, memoryMb })
  try {
    return await duck.connect(async (connection) => {
      const byType = Object.entries<readonly string[]>(COLUMNS[source])
      const columns = byType.flatMap(([type, names]) => names.map((name) => `${name}: '${type}'`))
      const looks = byType.flatMap(([, names]) => names.map((name) => `max(${name})`))
      const start = performance.now()
      const rows = await connection.rows(
        `select count(*)::double as rows, ${looks.join(', ')}
         from read_json($files, format = 'newline_delimited', columns = {${columns.join(', ')}})`,
        { files },
      )
      return { seconds: (performance.now() - start) / 1000, rows: Number(rows[0]?.['rows']) }
    })
  } finally {
    duck.close()
  }
})
