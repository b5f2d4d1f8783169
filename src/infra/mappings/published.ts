import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { canonicalJson } from '../../core/canonical-json.ts'
import { ConfigError } from '../../core/errors.ts'
import {
  type MappingFiles,
  type MappingSet,
  parseMappingSet,
} from '../../core/mapping/mapping-set.ts'
import { rollupRules } from '../../core/usage/rollup-sql.ts'
import type { Db, Tx } from '../postgres/database.ts'
import { beginGeneration, liveGeneration } from '../postgres/rollup-generations.ts'
import { requestWork } from '../postgres/work.ts'

/** The mapping that every worker reads: the newest version in PostgreSQL. */
export interface PublishedMapping {
  readonly version: number
  readonly hash: string
  /** Changes when facts must be worked out again. */
  readonly usageHash: string
  /** The rollups that go with it. */
  readonly generation: string
  /** Where the files were read from. */
  readonly folder: string
  readonly set: MappingSet
}

/**
 * Checks files and publishes them as the newest version, unless they say what is published already.
 * Changed actions ask for new rollups of every day beside the live ones, other changes of usage.yaml and
 * those of identity.yaml for people and accounts, any change for scores.
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
  const generation = digest(rollupRules(set.usage))
  const published = { hash, usageHash, generation, folder, set }
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext('mapping'))`.execute(tx)
    const before = await newest(tx)
    if (before?.hash === hash && before.folder === folder) {
      return { ...published, version: before.id, generation: before.generation }
    }
    const row = await tx
      .insertInto('mapping_version')
      .values({
        hash,
        usage_hash: usageHash,
        generation,
        folder,
        files: JSON.stringify(files),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    if (before?.hash !== hash) {
      await beginGeneration(tx, generation)
      const identityChanged = before?.files['identity.yaml'] !== files['identity.yaml']
      if (before && (before.usage_hash !== usageHash || identityChanged)) {
        await requestWork(tx, 'identity', 'all')
      }
      await requestWork(tx, 'score', 'all')
    }
    return { ...published, version: row.id }
  })
}

/**
 * Reads what is published.
 * @throws {ConfigError} when nothing is, or an older Ripen published what this one cannot read.
 */
export async function readPublished(db: Db | Tx): Promise<PublishedMapping> {
  return publishedOf(await newest(db))
}

/**
 * Reads the newest version whose rollups are complete. Scores, and what CRM records should say, go by
 * it while the rollups of a later one are made. Where only an older Ripen could read it, they go by the
 * later one, with the rollups that there are: nobody waits for what nobody can read.
 * @throws {ConfigError} as `readPublished`.
 */
export async function readEffective(db: Db | Tx): Promise<PublishedMapping> {
  const generation = await liveGeneration(db)
  const row = await newest(db, generation)
  try {
    return publishedOf(row)
  } catch (error) {
    const later = await newest(db)
    if (!(error instanceof ConfigError) || !row || !later || later.id === row.id) throw error
    return { ...publishedOf(later), generation }
  }
}

type Row = NonNullable<Awaited<ReturnType<typeof newest>>>

function publishedOf(row: Row | undefined): PublishedMapping {
  if (!row) throw new ConfigError('no mapping is published; run a command with --mappings DIR')
  return {
    version: row.id,
    hash: row.hash,
    usageHash: row.usage_hash,
    generation: row.generation,
    folder: row.folder,
    set: readable(row),
  }
}

/** What was right when it was published may be wrong for a later Ripen. */
function readable({ id, hash, folder, files }: Row): MappingSet {
  try {
    return parsed(hash, files)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    throw new ConfigError(
      `version ${id} of the mappings, published from ${folder}, cannot be read by this version of Ripen; mend the folder and publish it with --mappings (CHANGELOG.md says what changed):\n${error.message}`,
    )
  }
}

let last: { readonly hash: string; readonly set: MappingSet } | null = null

/** Every step asks, and what the files say depends on nothing else: it is worked out once. */
function parsed(hash: string, files: MappingFiles): MappingSet {
  if (last?.hash !== hash) last = { hash, set: parseMappingSet(files) }
  return last.set
}

/** True when something is published whose rollups are complete. */
export async function isPublished(db: Db): Promise<boolean> {
  return (await newest(db, await liveGeneration(db))) !== undefined
}

/** The folder that the published version was read from; null when nothing is published. */
export async function publishedFolder(db: Db): Promise<string | null> {
  return (await newest(db))?.folder ?? null
}

async function newest(db: Db | Tx, generation: string | null = null) {
  return db
    .selectFrom('mapping_version')
    .selectAll()
    .$if(generation !== null, (q) => q.where('generation', '=', generation ?? ''))
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst()
}

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32)
}
