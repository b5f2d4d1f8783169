import { join } from 'node:path'

/** Where a file of the lake lies. */
export function lakePath(lakeDir: string, id: string): string {
  return join(lakeDir, `${id}.parquet`)
}

/** Where the variants of an events file lie: what its events say about who did it. */
export function variantsPath(lakeDir: string, id: string): string {
  return join(lakeDir, `${id}.variants.parquet`)
}

/** Where the facts of an events file lie; the version names the mapping and the live windows. */
export function factsPath(lakeDir: string, id: string, version: string): string {
  return join(lakeDir, `${id}.${version}.facts.parquet`)
}

/** A path of ours as an SQL literal: `copy … to` takes no parameter. */
export function quoted(path: string): string {
  return `'${path.replaceAll("'", "''")}'`
}

/** How files of the lake are written. */
export const PARQUET = 'format parquet, compression zstd'
