import type { Connection } from './duck.ts'
import type { WrittenFile } from './events-file.ts'
import { variantsPath } from './paths.ts'

/** The profiles that an events file names. */
export async function readProfiles(
  connection: Connection,
  lakeDir: string,
  { id }: Pick<WrittenFile, 'id'>,
): Promise<string[]> {
  if (id === null) return []
  const rows = await connection.rows(
    'select distinct profile from read_parquet($path) order by profile',
    { path: variantsPath(lakeDir, id) },
  )
  return rows.map((row) => String(row['profile']))
}
