import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { idsOf, OBJECTS } from './objects.ts'
import { idOf, literalBytes, queriesFor, runQueries } from './query.ts'
import type { Session } from './session.ts'
import { name, names, soql } from './soql.ts'
import { readValue } from './wire-instant.ts'

/** Current values by record id. A lead that was converted is gone: its contact speaks now. */
export async function readValues(
  session: Session,
  object: CrmObject,
  crmIds: readonly string[],
  properties: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Readonly<Record<string, string | null>>>> {
  const queries = OBJECTS[object].flatMap((one) => {
    const live = one === 'Lead' ? soql` AND IsConverted = false` : soql``
    return queriesFor(idsOf(one, crmIds), literalBytes, (ids) => {
      return soql`SELECT ${names(['Id', ...properties])} FROM ${name(one)} WHERE Id IN ${ids}${live}`
    })
  })
  const rows = (await runQueries(session, queries, signal)).flat()
  return new Map(
    rows.map((row) => [
      idOf(row),
      Object.fromEntries(properties.map((property) => [property, readValue(row[property])])),
    ]),
  )
}
