import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { lakePath } from './paths.ts'

/**
 * Loads the manifest's live parts into the temporary table `live (path, partition)` and returns the
 * paths of the files. Readers semi-join it, so that replaced windows of a file do not count.
 */
export async function loadLive(
  connection: Connection,
  lakeDir: string,
  parts: readonly LivePart[],
): Promise<readonly string[]> {
  const paths = parts.map((part) => lakePath(lakeDir, part.fileId))
  await connection.run(
    `create or replace temp table live as
     select unnest($paths::varchar[]) as path, unnest($partitions::varchar[]) as partition`,
    { paths, partitions: parts.map((part) => part.partition) },
  )
  return [...new Set(paths)]
}
