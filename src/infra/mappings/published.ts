import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { canonicalJson } from '../../core/canonical-json.ts'
import { ConfigError } from '../../core/errors.ts'
import {
  type MappingFiles,
  type MappingSet,
  parseMappingSet,
} from '../../core/mapping/mapping-set.ts'
import type { Db } from '../postgres/database.ts'
import { markDays } from '../postgres/manifest.ts'
import { requestWork } from '../postgres/work.ts'

/** The mapping that every worker reads: the newest version in PostgreSQL. */
export interface PublishedMapping {
  readonly version: number
  readonly hash: string
  /** Changes when rollups and facts must be rebuilt. */
  readonly usageHash: string
  /** Where the files were read from. */
  readonly folder: string
  readonly set: MappingSet
}

/**
 * Checks files and publishes them as the newest version, unless they say what is published already.
 * A changed usage.yaml asks for new rollups of every day; any change asks for new scores.
 * @throws {ConfigError} when a file is wrong; then nothing is published.
 */
export async function publishMapping(
  db: Db,
  folder: string,
  files: MappingFiles,
): Promise<PublishedMapping> {
  const set = parseMappingSet(files)
  const hash = digest(files)
  const usageHash = digest(set.usage)
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext('mapping'))`.execute(tx)
    const before = await newest(tx)
    if (before?.hash === hash && before.folder === folder) {
      return { version: before.id, hash, usageHash, folder, set }
    }
    const row = await tx
      .insertInto('mapping_version')
      .values({ hash, usage_hash: usageHash, folder, files: JSON.stringify(files) })
      .returning('id')
      .executeTakeFirstOrThrow()
    if (before?.hash !== hash) {
      if (before && before.usage_hash !== usageHash) await rebuildAll(tx)
      await requestWork(tx, 'score', 'all')
    }
    return { version: row.id, hash, usageHash, folder, set }
  })
}

/**
 * Reads what is published.
 * @throws {ConfigError} when nothing is.
 */
export async function readPublished(db: Db): Promise<PublishedMapping> {
  const row = await newest(db)
  if (!row) throw new ConfigError('no mapping is published; run a command with --mappings DIR')
  return {
    version: row.id,
    hash: row.hash,
    usageHash: row.usage_hash,
    folder: row.folder,
    set: parsed(row.hash, row.files),
  }
}

let last: { readonly hash: string; readonly set: MappingSet } | null = null

/** Every step asks, and what the files say depends on nothing else: it is worked out once. */
function parsed(hash: string, files: MappingFiles): MappingSet {
  if (last?.hash !== hash) last = { hash, set: parseMappingSet(files) }
  return last.set
}

/** The folder that the published version was read from; null when nothing is published. */
export async function publishedFolder(db: Db): Promise<string | null> {
  return (await newest(db))?.folder ?? null
}

async function newest(db: Db) {
  return db
    .selectFrom('mapping_version')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

async function rebuildAll(tx: Db): Promise<void> {
  const days = await tx
    .selectFrom('source_window')
    .select(['source', sql<string[]>`array_agg(distinct d)::text[]`.as('days')])
    .innerJoin(sql<{ d: string }>`unnest(event_days)`.as<'day'>(sql`day(d)`), (j) => j.onTrue())
    .groupBy('source')
    .execute()
  for (const { source, days: touched } of days) {
    await markDays(tx, source, touched)
    await requestWork(tx, 'rollup', source)
  }
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32)
}
