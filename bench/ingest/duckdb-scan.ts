import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { startDuck } from '../../src/infra/lake/duck.ts'
import { contender } from '../child.ts'

export interface ScanInput {
  readonly folder: string
  readonly dir: string
  readonly threads: number
  readonly memoryMb: number
}

const TIMES = ['event_time', 'client_event_time', 'server_upload_time']
const TEXTS = ['uuid', 'event_type', 'user_id', 'device_id', 'amplitude_id']
const OBJECTS = ['event_properties', 'user_properties', 'groups']

// Reads what the Amplitude connector reads, and nothing is done with it; no column can be skipped.
await contender(async ({ folder, dir, threads, memoryMb }: ScanInput) => {
  const files = (await readdir(folder)).map((name) => join(folder, name))
  const duck = await startDuck({ dataDir: dir, threads, memoryMb })
  try {
    return await duck.connect(async (connection) => {
      const columns = [
        ...TIMES.map((name) => `${name}: 'TIMESTAMP'`),
        ...TEXTS.map((name) => `${name}: 'VARCHAR'`),
        ...OBJECTS.map((name) => `${name}: 'JSON'`),
      ]
      const looks = [...TIMES, ...TEXTS, ...OBJECTS].map((name) => `max(${name})`)
      const start = performance.now()
      const rows = await connection.rows(
        `select count(*)::double as rows, ${looks.join(', ')}
         from read_json($files, format = 'newline_delimited', compression = 'gzip',
           columns = {${columns.join(', ')}})`,
        { files },
      )
      return { seconds: (performance.now() - start) / 1000, rows: Number(rows[0]?.['rows']) }
    })
  } finally {
    duck.close()
  }
})
