import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from './duck.ts'
import { quoted } from './paths.ts'
import { eachSource, type Rollups, type UsageAsk } from './usage-table.ts'

/** Usage rows in the order of people, so that each shard reads its own part of the files. */
export interface SortedUsage {
  /** Makes the temporary table `usage` of the people with these numbers, the last one left out. */
  load(connection: Connection, fromPerson: number, toPerson: number): Promise<void>
  remove(): Promise<void>
}

/**
 * Writes the live rollup rows of everybody in `member` to files of this process, sorted by person. The
 * rollups are in the order of days; to look for a shard's rows in all of them, for every shard, would
 * cost as much as all the rest.
 */
export async function sortUsage(
  connection: Connection,
  dir: string,
  rollups: Rollups,
  ask: UsageAsk,
): Promise<SortedUsage> {
  await rm(dir, { recursive: true, force: true })
  await mkdir(dir, { recursive: true })
  const files: string[] = []
  await eachSource(connection, rollups, ask, async (sql, params) => {
    const path = join(dir, `${files.length}.parquet`)
    await connection.run(
      `copy (select * from (${sql}) order by person) to ${quoted(path)} (format parquet)`,
      params,
    )
    files.push(path)
  })
  return {
    async load(into, fromPerson, toPerson) {
      if (files.length === 0) {
        await into.run(`create or replace temp table usage as select 0 as person, 0 as account, 0 as action,
          0 as day, 0::double as count, 0::double as first_at, 0::double as last_at where false`)
        return
      }
      await into.run(
        `create or replace temp table usage as select * from read_parquet($files)
         where person >= $from::integer and person < $to::integer`,
        { files, from: fromPerson, to: toPerson },
      )
    },
    remove: () => rm(dir, { recursive: true, force: true }),
  }
}
