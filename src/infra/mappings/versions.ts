import type { Selectable } from 'kysely'
import { ConfigError } from '../../core/errors.ts'
import type { MappingFiles } from '../../core/mapping/mapping-set.ts'
import type { Db } from '../postgres/database.ts'
import type { Tables } from '../postgres/tables.ts'

/** One version of the mappings, as it was published. */
export interface MappingVersion {
  readonly version: number
  readonly publishedAt: Date
  /** Who published it; null for versions of an older Ripen. */
  readonly by: string | null
  readonly note: string | null
  readonly folder: string
  /** The version whose files it repeats; null for one that came from the folder. */
  readonly rolledBackTo: number | null
  readonly hash: string
  readonly files: MappingFiles
}

/** The newest versions, newest first. */
export async function readVersions(db: Db, limit: number): Promise<readonly MappingVersion[]> {
  const rows = await db
    .selectFrom('mapping_version')
    .selectAll()
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(toVersion)
}

/** @throws {ConfigError} when there is none of this number. */
export async function readVersion(db: Db, version: number): Promise<MappingVersion> {
  const row = await db
    .selectFrom('mapping_version')
    .selectAll()
    .where('id', '=', version)
    .executeTakeFirst()
  if (row) return toVersion(row)
  throw new ConfigError(`there is no version ${version}; ripen versions lists them`)
}

function toVersion(row: Selectable<Tables['mapping_version']>): MappingVersion {
  return {
    version: row.id,
    publishedAt: row.published_at,
    by: row.published_by,
    note: row.note,
    folder: row.folder,
    rolledBackTo: row.rolled_back_to,
    hash: row.hash,
    files: row.files,
  }
}
