import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { writeRollup } from '../../src/infra/lake/rollup-file.ts'
import type { Rollups, SourcePart } from '../../src/infra/lake/usage-table.ts'
import { liveWindows } from '../../src/infra/postgres/manifest.ts'
import type { JobContext } from '../context.ts'
import type { Rules } from './score-roster.ts'

/** How the folders in `tmp` begin that hold such rollups: they bear the ids that vendors know people by. */
export const KNOWN_AT_PREFIX = 'known-'

/** Days that are rolled up together. */
const CHUNK_DAYS = 10

/**
 * Makes the rollups that there would be if nothing had arrived after `knownAt`: of the events that the
 * live windows hold, each by the copy that had arrived last by then.
 */
export async function rollupsKnownAt(
  { db, lakeDir, tmpDir }: JobContext,
  connection: Connection,
  { set, live }: Pick<Rules, 'set' | 'live'>,
  knownAt: Date,
): Promise<{ readonly rollups: Rollups; remove(): Promise<void> }> {
  const dir = join(tmpDir, `${KNOWN_AT_PREFIX}${randomUUID()}`)
  const remove = () => rm(dir, { recursive: true, force: true })
  const parts: SourcePart[] = []
  try {
    for (const source of new Set(live.parts.map((part) => part.source))) {
      const days = live.parts.flatMap((p) => (p.source === source ? [p.partition] : []))
      for (let at = 0; at < days.length; at += CHUNK_DAYS) {
        const some = days.slice(at, at + CHUNK_DAYS)
        const windows = await liveWindows(db, source, some)
        const { id } = await writeRollup(connection, lakeDir, source, some, windows, set.usage, {
          arrivedBy: knownAt,
          into: dir,
        })
        if (id !== null) parts.push(...some.map((partition) => ({ source, fileId: id, partition })))
      }
    }
    return { rollups: { dir, parts }, remove }
  } catch (error) {
    await remove()
    throw error
  }
}
