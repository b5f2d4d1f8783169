import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { describe } from './describe.ts'
import { idsOf, OBJECTS } from './objects.ts'
import { idOf, literalBytes, queriesFor, runQueries } from './query.ts'
import type { Session } from './session.ts'
import { name, names, type Soql, soql } from './soql.ts'
import { readValue } from './wire-instant.ts'

/** Current values by record id. A lead that was converted is gone: its contact speaks now. */
export async function readValues(
  session: Session,
  object: CrmObject,
  crmIds: readonly string[],
  properties: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Readonly<Record<string, string | null>>>> {
  const queries: Soql[] = []
  for (const one of OBJECTS[object]) {
    const ids = idsOf(one, crmIds)
    if (ids.length === 0) continue
    // What only the other of two objects has is empty here; what neither has, nobody is asked for.
    const { fields } = await describe(session, one, signal)
    const there = properties.filter((property) => fields.has(property))
    const live = one === 'Lead' ? soql` AND IsConverted = false` : soql``
    queries.push(
      ...queriesFor(ids, literalBytes, (some) => {
        return soql`SELECT ${names(['Id', ...there])} FROM ${name(one)} WHERE Id IN ${some}${live}`
      }),
    )
  }
  const rows = (await runQueries(session, queries, signal)).flat()
  return new Map(
    rows.map((row) => [
      idOf(row),
      Object.fromEntries(properties.map((property) => [property, readValue(row[property])])),
    ]),
  )
}
