import { access, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { IdentityFact } from '../../core/identity/people.ts'
import type { LivePart } from '../postgres/manifest.ts'
import type { Connection } from './duck.ts'
import { type FactsMapping, factsTarget, writeFacts } from './facts-file.ts'

/**
 * What the live windows of one source say about identities: one fact for each profile, kind and
 * value. Facts of a file are worked out once for each mapping and set of live windows.
 * @param profiles only facts about these; null for all.
 */
export async function readFacts(
  connection: Connection,
  lakeDir: string,
  source: string,
  live: readonly LivePart[],
  mapping: FactsMapping,
  profiles: readonly string[] | null = null,
): Promise<IdentityFact[]> {
  if (live.length === 0) return []
  const paths = await factsPaths(connection, lakeDir, live, mapping)
  const rows = await connection.rows(
    `select profile, kind, value, min(first_at) as first_at, max(last_at) as last_at
     from read_parquet($paths)
     ${profiles ? 'where list_contains($profiles::varchar[], profile)' : ''}
     group by profile, kind, value`,
    { paths, ...(profiles ? { profiles } : {}) },
  )
  return rows.map((row) => ({
    source,
    profile: String(row['profile']),
    kind: String(row['kind']),
    value: String(row['value']),
    firstAt: row['first_at'] as Date,
    lastAt: row['last_at'] as Date,
  }))
}

/**
 * The files with the facts of live windows, which are written when they are not there.
 * @param isRead files that were read before, and therefore are there.
 */
export async function factsPaths(
  connection: Connection,
  lakeDir: string,
  live: readonly LivePart[],
  mapping: FactsMapping,
  isRead: (path: string) => boolean = () => false,
): Promise<string[]> {
  const paths: string[] = []
  for (const [fileId, windows] of byFile(live)) {
    const path = factsTarget(lakeDir, fileId, mapping, windows)
    if (!isRead(path)) await ensureFacts(connection, lakeDir, fileId, windows, mapping)
    paths.push(path)
  }
  return paths
}

function byFile(live: readonly LivePart[]): Map<string, string[]> {
  const files = new Map<string, string[]>()
  for (const { fileId, partition } of live) {
    const windows = files.get(fileId)
    if (windows) windows.push(partition)
    else files.set(fileId, [partition])
  }
  return files
}

async function ensureFacts(
  connection: Connection,
  lakeDir: string,
  fileId: string,
  windows: readonly string[],
  mapping: FactsMapping,
): Promise<void> {
  const path = factsTarget(lakeDir, fileId, mapping, windows)
  const known = await access(path).then(
    () => true,
    () => false,
  )
  if (known) return
  await writeFacts(connection, lakeDir, fileId, mapping, windows, windows)
  await dropOlder(lakeDir, fileId, path)
}

/** Facts of another mapping or of windows that were replaced since are of no use to anybody. */
async function dropOlder(lakeDir: string, fileId: string, keep: string): Promise<void> {
  for (const name of await readdir(lakeDir)) {
    const older = name.startsWith(`${fileId}.`) && name.endsWith('.facts.parquet')
    if (older && name !== basename(keep)) await rm(join(lakeDir, name), { force: true })
  }
}
