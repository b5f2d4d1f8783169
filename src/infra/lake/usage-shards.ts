import { existsSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from './duck.ts'
import { quoted } from './paths.ts'
import { eachSource, type Rollups, type UsageAsk } from './usage-table.ts'

/** Usage rows in parts, so that each shard reads its own files. */
export interface SplitUsage {
  /** Makes the temporary view `usage` of the people of one part. */
  load(connection: Connection, part: number): Promise<void>
  remove(): Promise<void>
}

/**
 * Writes the live rollup rows of everybody in `member` to files of this process, those of each part in a
 * folder of its own. The rollups are in the order of days; to look for a shard's rows in all of them, for
 * every shard, would cost as much as all the rest.
 */
export async function splitUsage(
  connection: Connection,
  dir: string,
  rollups: Rollups,
  ask: UsageAsk,
): Promise<SplitUsage> {
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const folders: string[] = []
  await eachSource(connection, rollups, { ...ask, withParts: true }, async (sql, params) => {
    const folder = join(dir, `source-${folders.length}`)
    await connection.run(
      `copy (${sql}) to ${quoted(folder)} (format parquet, partition_by (part))`,
      params,
    )
    folders.push(folder)
  })
  return {
    async load(into, part) {
      const files = (await Promise.all(folders.map((folder) => filesOf(folder, part)))).flat()
      await into.run(
        files.length === 0
          ? `create or replace temp view usage as select 0 as person, 0 as account, 0 as action, 0 as day,
               0::double as count, 0::double as first_at, 0::double as last_at where false`
          : `create or replace temp view usage as
               select * from read_parquet([${files.map(quoted).join(', ')}], hive_partitioning = false)`,
      )
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}

/** A part that nobody did anything in has no folder. */
async function filesOf(folder: string, part: number): Promise<readonly string[]> {
  const own = join(folder, `part=${part}`)
  if (!existsSync(own)) return []
  return (await readdir(own)).map((name) => join(own, name))
}
