import type { CrmObject } from '../../../src/core/ports/crm.ts'
import { OBJECT_PATHS, type OtherPath } from './hubspot-apis.ts'
import { assertOnlyAbsences, chunks, type Session, sendForListing } from './session.ts'
import { readInstant } from './wire-instant.ts'
import { type HubspotRecord, parseRecord } from './wire-shapes.ts'

/** HubSpot's limit for one batch call, in records. */
export const MAX_BATCH = 100
/** The same, where the history of a property is asked for. */
const MAX_HISTORY_BATCH = 50

export interface BatchRead {
  readonly object: CrmObject | OtherPath
  /** Record ids, or values of `idProperty`. */
  readonly ids: readonly string[]
  readonly idProperty?: string
  readonly properties: readonly string[]
  /** Properties whose past values are wanted too. */
  readonly withHistory?: readonly string[]
  readonly archived?: boolean
}

/** Reads records in batches; the ones that do not exist are left out. */
export async function readRecords(
  session: Session,
  read: BatchRead,
  signal: AbortSignal,
): Promise<HubspotRecord[]> {
  const { object, withHistory = [] } = read
  const path = object === 'contact' || object === 'company' ? OBJECT_PATHS[object] : object
  const size = withHistory.length > 0 ? MAX_HISTORY_BATCH : MAX_BATCH
  const endpoint = `POST ${path}/batch/read`
  const records: HubspotRecord[] = []
  for (const ids of chunks([...new Set(read.ids)], size)) {
    const body = {
      inputs: ids.map((id) => ({ id })),
      properties: [...read.properties],
      propertiesWithHistory: [...withHistory],
      ...(read.idProperty === undefined ? {} : { idProperty: read.idProperty }),
    }
    const listing = await sendForListing(
      session,
      {
        kind: 'read',
        endpoint,
        invoke: (options) => session.apis.records.read(path, body, read.archived ?? false, options),
      },
      parseRecord,
      signal,
    )
    assertOnlyAbsences(listing.errors, endpoint)
    records.push(...listing.results)
  }
  return records
}

/** Current values by record id, as the port returns them. */
export async function readValues(
  session: Session,
  object: CrmObject,
  crmIds: readonly string[],
  properties: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Readonly<Record<string, string | null>>>> {
  const records = await readRecords(session, { object, ids: crmIds, properties }, signal)
  return new Map(
    records.map((record) => [
      record.id,
      Object.fromEntries(properties.map((name) => [name, record.properties[name] ?? null])),
    ]),
  )
}

/** When the values of now were set, by record id and property. */
export async function readSetAt(
  session: Session,
  object: CrmObject,
  crmIds: readonly string[],
  properties: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
  const read = { object, ids: crmIds, properties: [], withHistory: properties }
  const records = await readRecords(session, read, signal)
  return new Map(
    records.map(({ id, propertiesWithHistory = {} }) => [
      id,
      Object.fromEntries(
        properties.flatMap((name) => {
          // The newest one first, which is the value of now.
          const at = readInstant(propertiesWithHistory[name]?.[0]?.timestamp)
          return at === null ? [] : [[name, at]]
        }),
      ),
    ]),
  )
}
