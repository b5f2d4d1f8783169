import { randomUUID } from 'node:crypto'
import { rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { SqlQuery } from '../../core/ports/usage-source.ts'
import type { Connection } from './duck.ts'
import { PARQUET, quoted } from './paths.ts'

/**
 * Writes the rows of a query to a Parquet file that is there whole or not at all.
 * @returns its size in bytes.
 */
export async function writeParquet(
  connection: Connection,
  { sql, params }: SqlQuery,
  target: string,
): Promise<number> {
  const temporary = join(dirname(target), `.writing-${randomUUID()}.parquet`)
  try {
    await connection.run(`copy (${sql}) to ${quoted(temporary)} (${PARQUET})`, params)
    const { size } = await stat(temporary)
    await rename(temporary, target)
    return size
  } finally {
    await rm(temporary, { force: true })
  }
}
