import { readAssociations } from './read-associations.ts'
import { readTaskRecords } from './read-tasks.ts'
import { MAX_BATCH } from './records.ts'
import { chunks, type Session } from './session.ts'
import { markersIn } from './task-body.ts'
import { BODY } from './task-input.ts'

export interface WantedTask {
  readonly marker: string
  readonly companyId: string | null
  readonly contactIds: readonly string[]
}

/**
 * Looks for our markers among the tasks of the given records. Associations are read from the records
 * themselves and not from the search index, which lags behind. Newest first: a marker in doubt was
 * written a moment ago, and the reading stops once all are found.
 */
export async function findTasks(
  session: Session,
  wanted: readonly WantedTask[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const companyIds = wanted.flatMap(({ companyId }) => (companyId === null ? [] : [companyId]))
  const contactIds = wanted.flatMap((task) => task.contactIds)
  const taskIds = new Set([
    ...(await readTaskIds(session, 'companies', companyIds, signal)),
    ...(await readTaskIds(session, 'contacts', contactIds, signal)),
  ])
  const open = new Set(wanted.map((task) => task.marker))
  const found = new Map<string, string>()
  for (const ids of chunks([...taskIds].sort(newestFirst), MAX_BATCH)) {
    if (open.size === 0) break
    for (const task of await readTaskRecords(session, ids, [BODY], signal)) {
      for (const marker of markersIn(task.properties[BODY] ?? '')) {
        if (open.delete(marker)) found.set(marker, task.id)
      }
    }
  }
  return found
}

async function readTaskIds(
  session: Session,
  from: 'companies' | 'contacts',
  recordIds: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const found = await readAssociations(session, from, 'tasks', recordIds, signal)
  return found.map(({ toId }) => toId)
}

/** Ids are numbers that grow. */
export function newestFirst(a: string, b: string): number {
  return b.length - a.length || (a < b ? 1 : -1)
}
