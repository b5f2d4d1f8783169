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

/** Who publishes, and what for. */
export interface Publication {
  /** Null where nobody can be named. */
  readonly by: string | null
  readonly note?: string
  /** Publish even what was undone by a rollback. */
  readonly evenUndone?: boolean
  /** The version that is repeated. */
  readonly rolledBackTo?: number
}

/**
 * Checks files and publishes them as the newest version, unless they say what is published already, or
 * what a rollback has just undone: then the version of the rollback stays.
 * Changed actions ask for new rollups of every day beside the live ones, other changes of usage.yaml and
 * those of identity.yaml for people and accounts, any change for scores.
 * @throws {ConfigError} when a file is wrong; then nothing is published.
 */
export async function publishMapping(
  db: Db,
  folder: string,
  files: MappingFiles,
  about: Publication = { by: null },
): Promise<PublishedMapping> {
  const set = parseMappingSet(files)
  const hash = mappingHash(files)
  const usageHash = digest(set.usage)
  const generation = digest(rollupRules(set.usage))
  const published = { hash, usageHash, generation, folder, set }
  return db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(hashtext('mapping'))`.execute(tx)
    const before = await newest(tx)
    if (before?.hash === hash && (before.folder === folder || about.rolledBackTo !== undefined)) {
      return { ...published, version: before.id, generation: before.generation }
    }
    if (before && !about.evenUndone && (await wasUndone(tx, before, hash))) {
      return publishedOf(before)
    }
    const row = await tx
      .insertInto('mapping_version')
      .values({
        hash,
        usage_hash: usageHash,
        generation,
        folder,
        files: JSON.stringify(files),
        published_by: about.by,
        note: about.note ?? null,
        rolled_back_to: about.rolledBackTo ?? null,
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    if (before?.hash !== hash) {
      await beginGeneration(tx, generation)
      const { identity } = changeEffects(before, { usageHash, generation, files })
      if (identity) await requestWork(tx, 'identity', 'all')
      await requestWork(tx, 'score', 'all')
    }
    return { ...published, version: row.id }
  })
}

/** What a version sets off besides scores. */
export interface ChangeEffects {
  /** Rollups of every day are made anew. */
  readonly rollups: boolean
  /** People and accounts are joined anew. */
  readonly identity: boolean
}

function changeEffects(
  before: Pick<Row, 'usage_hash' | 'generation' | 'files'> | undefined,
  after: Pick<PublishedMapping, 'usageHash' | 'generation'> & { readonly files: MappingFiles },
): ChangeEffects {
  if (!before) return { rollups: true, identity: false }
  const identityChanged = before.files['identity.yaml'] !== after.files['identity.yaml']
  return {
    rollups: before.generation !== after.generation,
    identity: before.usage_hash !== after.usageHash || identityChanged,
  }
}

/** What publishing these files would set off. @throws {ConfigError} when a file is wrong. */
export async function effectsOf(db: Db, files: MappingFiles): Promise<ChangeEffects> {
  const { usage } = parseMappingSet(files)
  const after = { usageHash: digest(usage), generation: digest(rollupRules(usage)), files }
  return changeEffects(await newest(db), after)
}

/** True when the newest version is a rollback, and these files were published after what it went back to. */
async function wasUndone(tx: Tx, { id, rolled_back_to }: Row, hash: string): Promise<boolean> {
  if (rolled_back_to === null) return false
  const undone = await tx
    .selectFrom('mapping_version')
    .select('id')
    .where('id', '>', rolled_back_to)
    .where('id', '<', id)
    .where('hash', '=', hash)
    .limit(1)
    .executeTakeFirst()
  return undone !== undefined
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

/** Names what the files of a mapping folder say. */
export const mappingHash = (files: MappingFiles): string => digest(files)

function digest(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex').slice(0, 32)
}
