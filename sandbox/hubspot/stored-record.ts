/** One value that a property has had. */
export interface PropertyChange {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly from: string
  readonly to: string
  readonly source: string
}

/** What search still shows of a record until `until`, when its index lags behind. */
interface StaleView {
  readonly until: number
  readonly properties: Readonly<Record<string, string>> | null
}

/** A record as the stand-in keeps it; a property without a value is absent. */
export interface StoredRecord {
  readonly id: string
  readonly properties: Record<string, string>
  readonly createdAt: number
  updatedAt: number
  archivedAt: number | null
  /** Oldest change first, the last 45 for each property. */
  readonly history: Record<string, PropertyChange[]>
  stale?: StaleView[]
}

const HISTORY_LIMIT = 45

/** Notes a change of one property; a clearing removes the value. */
export function changeProperty(record: StoredRecord, name: string, change: PropertyChange): void {
  if (change.to === '') delete record.properties[name]
  else record.properties[name] = change.to
  const changes = record.history[name]
  if (changes === undefined) {
    record.history[name] = [change]
    return
  }
  changes.push(change)
  if (changes.length > HISTORY_LIMIT) changes.shift()
}

/** The properties that search sees at `now`; undefined when it sees no such record. */
export function searchView(
  record: StoredRecord,
  now: number,
): Readonly<Record<string, string>> | undefined {
  const stale = record.stale
  while (stale?.[0] !== undefined && stale[0].until <= now) stale.shift()
  const view = stale?.[0]
  if (view !== undefined) return view.properties ?? undefined
  return record.archivedAt === null ? record.properties : undefined
}
