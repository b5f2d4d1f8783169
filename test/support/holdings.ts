import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { App } from '../../src/app/compose.ts'

/**
 * Everything that an installation holds in which one of these texts occurs, without looking at
 * capitals: rows of every table, rows of every lake file, and the bytes of every file.
 */
export async function holdingsOf(app: App, texts: readonly string[]): Promise<string[]> {
  const wanted = texts.map((text) => text.toLowerCase())
  const holds = (text: string) => wanted.some((one) => text.toLowerCase().includes(one))
  return [...(await tablesThat(app, holds)), ...(await filesThat(app, holds))]
}

type Holds = (text: string) => boolean

async function tablesThat({ context: { db } }: App, holds: Holds): Promise<string[]> {
  const tables = await sql<{ schema: string; name: string }>`
    select schemaname as schema, tablename as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema') order by 1, 2`.execute(db)
  const found: string[] = []
  for (const { schema, name } of tables.rows) {
    const { rows } = await sql<{ row: string }>`select t::text as row
      from ${sql.table(`${schema}.${name}`)} t`.execute(db)
    if (rows.some(({ row }) => holds(row))) found.push(`table ${schema}.${name}`)
  }
  return found
}

async function filesThat({ config, context }: App, holds: Holds): Promise<string[]> {
  const found: string[] = []
  for (const folder of [context.lakeDir, join(config.RIPEN_DATA_DIR, 'tmp')]) {
    const names = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of names) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      const bytes = holds((await readFile(path)).toString('latin1'))
      if (bytes || (path.endsWith('.parquet') && (await rowsHold(context, path, holds)))) {
        found.push(`file ${entry.name}`)
      }
    }
  }
  return found
}

async function rowsHold({ duck }: App['context'], path: string, holds: Holds): Promise<boolean> {
  const rows = await duck.connect((c) =>
    c.rows('select t::varchar as row from read_parquet([$path]) t', { path }),
  )
  return rows.some(({ row }) => holds(String(row)))
}
