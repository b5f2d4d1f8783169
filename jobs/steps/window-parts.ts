import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { UsageWindow, WindowPart } from '../../src/core/ports/usage-source.ts'
import type { Db } from '../../src/infra/postgres/database.ts'

/** How the parts of a window compare with those that it was read from. */
export type PartsNow = 'not-listed' | 'new' | 'gone' | 'same'

/**
 * `new` when one was not read yet; `gone` when some that were read, or all, are there no more: buckets
 * expire, and then what was read stays.
 */
export function partsNow({ parts }: UsageWindow, before: readonly string[]): PartsNow {
  if (parts === undefined) return 'not-listed'
  const known = new Set(before)
  const found = new Set(parts.map(fingerprint))
  if ([...found].some((part) => !known.has(part))) return 'new'
  return found.size === 0 || found.size < known.size ? 'gone' : 'same'
}

/** Notes what windows were read from. Not noted, they are read once more, to the same effect. */
export async function rememberParts(
  db: Db,
  source: string,
  windows: readonly UsageWindow[],
): Promise<void> {
  const listed = windows.flatMap(({ key, parts }) =>
    parts ? [{ key, parts: parts.map(fingerprint) }] : [],
  )
  if (listed.length === 0) return
  await sql`update source_window w set parts = array(select jsonb_array_elements_text(n.parts))
    from jsonb_to_recordset(${JSON.stringify(listed)}::jsonb) as n(key text, parts jsonb)
    where w.source = ${source} and w.window_key = n.key`.execute(db)
}

/** Short, since all that is known of a source is read for each pull. */
function fingerprint({ name, version }: WindowPart): string {
  return createHash('sha256').update(`${name}\n${version}`).digest('base64url').slice(0, 16)
}
