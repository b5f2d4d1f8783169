import { idOf, literalBytes, queriesFor, runQueries, textOf } from './query.ts'
import type { Session } from './session.ts'
import { name, names, soql } from './soql.ts'

/** Looks for our markers, which lie in a field of their own. Queries see a task as soon as it is there. */
export async function findTasks(
  session: Session,
  wanted: readonly { readonly marker: string }[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const { taskKeyField } = session.rules
  const markers = [...new Set(wanted.map(({ marker }) => marker))]
  const queries = queriesFor(markers, literalBytes, (some) => {
    return soql`SELECT ${names(['Id', taskKeyField])} FROM Task WHERE ${name(taskKeyField)} IN ${some} ORDER BY CreatedDate, Id`
  })
  const found = new Map<string, string>()
  for (const row of (await runQueries(session, queries, signal)).flat()) {
    // SOQL takes upper and lower case for the same.
    const marker = markers.find((one) => one === textOf(row, taskKeyField))
    if (marker !== undefined && !found.has(marker)) found.set(marker, idOf(row))
  }
  return found
}
