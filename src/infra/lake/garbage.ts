import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { sql } from 'kysely'
import type { Db } from '../postgres/database.ts'

/** A file may be written or read that long before the manifest says so. */
const GRACE_MS = 3_600_000

/** Removes lake files that no window and no rollup names any more, and leftovers of killed writers. */
export async function collectGarbage(db: Db, lakeDir: string, now: Date): Promise<void> {
  const before = new Date(now.getTime() - GRACE_MS)
  // Who reads a file now may have looked at the manifest before it was replaced.
  const named = sql<boolean>`(exists (select from source_window w where w.file_id = f.id)
    or exists (select from rollup_day r where r.file_id = f.id)
    or exists (select from rollup_part p where p.file_id = f.id))`
  await sql`update lake_file f set unused_since = null where unused_since is not null and ${named}`.execute(
    db,
  )
  await sql`update lake_file f set unused_since = ${now}
    where unused_since is null and not ${named}`.execute(db)
  await sql`delete from lake_file f where unused_since < ${before} and not ${named}`.execute(db)
  const rows = await db.selectFrom('lake_file').select('id').execute()
  const known = new Set(rows.map((row) => row.id))
  const names = await readdir(lakeDir).catch(() => [])
  for (const name of names) {
    const id = name.replace(/\..*$/, '')
    if (known.has(id)) continue
    const path = join(lakeDir, name)
    const info = await stat(path).catch(() => null)
    if (info && info.mtimeMs < before.getTime()) await rm(path, { force: true })
  }
}

/**
 * Removes what nobody names at once, instead of after a while; only while no step reads or writes the
 * lake for these sources.
 */
export async function dropUnnamed(
  db: Db,
  lakeDir: string,
  sources: readonly string[],
): Promise<void> {
  await sql`delete from lake_file f where source = any(${[...sources]}::text[])
    and not exists (select from source_window w where w.file_id = f.id)
    and not exists (select from rollup_day r where r.file_id = f.id)
    and not exists (select from rollup_part p where p.file_id = f.id)`.execute(db)
  const rows = await db.selectFrom('lake_file').select('id').execute()
  const known = new Set(rows.map((row) => row.id))
  for (const name of await readdir(lakeDir).catch(() => [])) {
    const id = name.replace(/\..*$/, '')
    const source = /^(.+?)-(?:rollup-)?[0-9a-f]{32}$/.exec(id)?.[1]
    const broken = name.startsWith('.writing-')
    const ours = broken || (source !== undefined && sources.includes(source))
    if (ours && !known.has(id)) await rm(join(lakeDir, name), { force: true })
  }
}
