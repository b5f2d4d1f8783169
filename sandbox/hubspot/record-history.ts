import type { StoredRecord } from './stored-record.ts'

/** A record at one moment: what changed then, by whom, and what it said from then on. */
interface RecordVersion {
  readonly at: string
  readonly sources: readonly string[]
  readonly changes: Readonly<Record<string, { readonly from: string; readonly to: string }>>
  readonly properties: Readonly<Record<string, string>>
}

/**
 * What a record looked like over time, oldest first. Of a property that changed very often the oldest
 * changes are forgotten; it begins with the value that they led to.
 */
export function recordHistory(record: StoredRecord): RecordVersion[] {
  const changes = Object.entries(record.history)
    .flatMap(([name, list]) => list.map((change) => ({ name, ...change })))
    .sort((a, b) => a.at - b.at)
  const properties: Record<string, string> = {}
  for (const [name, [first]] of Object.entries(record.history)) {
    if (first?.from) properties[name] = first.from
  }
  const versions: RecordVersion[] = []
  for (const at of [...new Set(changes.map((change) => change.at))]) {
    const now = changes.filter((change) => change.at === at)
    for (const { name, to } of now) {
      if (to === '') delete properties[name]
      else properties[name] = to
    }
    versions.push({
      at: new Date(at).toISOString(),
      sources: [...new Set(now.map(({ source }) => source))],
      changes: Object.fromEntries(now.map(({ name, from, to }) => [name, { from, to }])),
      properties: { ...properties },
    })
  }
  return versions
}
