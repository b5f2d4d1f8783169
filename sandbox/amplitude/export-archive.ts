import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { UsageRows } from '../company/usage-rows.ts'
import type { ZipEntry } from './zip-writer.ts'

const compress = promisify(gzip)

/**
 * The entries of an export over some hours (`YYYY-MM-DDTHH`), in the order of the hours. Hours with
 * an odd number of rows, and more than two, are cut into two partitions.
 */
export async function* exportEntries(
  projectId: string,
  rows: UsageRows,
  hours: readonly string[],
): AsyncGenerator<ZipEntry> {
  for (const hour of hours) {
    const lines = rows.get(hour) ?? []
    const cut = lines.length % 2 === 1 && lines.length > 2 ? Math.floor(lines.length / 2) : 0
    const partitions = [lines.slice(cut), lines.slice(0, cut)]
    for (const [partition, part] of partitions.entries()) {
      if (part.length === 0) continue
      const body = await compress(`${part.join('\n')}\n`, { level: 4 })
      yield { name: entryName(projectId, hour, partition), body }
    }
  }
}

function entryName(projectId: string, hour: string, partition: number): string {
  const date = hour.slice(0, 10)
  return `${projectId}/${projectId}_${date}_${Number(hour.slice(11))}#${partition}.json.gz`
}

/** Spoils the gzip data of the first entry; the zip around it stays sound. */
export async function* corruptFirst(entries: AsyncIterable<ZipEntry>): AsyncGenerator<ZipEntry> {
  let first = true
  for await (const entry of entries) {
    if (first) {
      const middle = Math.floor(entry.body.length / 2)
      const body = Buffer.from(entry.body)
      for (let index = middle; index < middle + 4; index++) body[index] = ~(body[index] ?? 0) & 0xff
      yield { ...entry, body }
    } else yield entry
    first = false
  }
}

/** Yields each entry again as another partition. */
export async function* duplicated(entries: AsyncIterable<ZipEntry>): AsyncGenerator<ZipEntry> {
  for await (const entry of entries) {
    yield entry
    yield { ...entry, name: entry.name.replace('#', '#1') }
  }
}

/** Two Amplitude ids that are one user; times in milliseconds. */
export interface AmplitudeMerge {
  readonly mergeTime: number
  readonly amplitudeId: number
  readonly mergedAmplitudeId: number
}

/** The file of the merged ids of one hour (`YYYY-MM-DDTHH`), as it lies beside the hourly export. */
export async function mergedIdsEntry(
  organisationId: string,
  hour: string,
  merges: readonly AmplitudeMerge[],
): Promise<ZipEntry> {
  const rows = merges.map(({ mergeTime, amplitudeId, mergedAmplitudeId }) => ({
    scope: 0,
    merge_time: mergeTime,
    merge_server_time: mergeTime + 1000,
    amplitude_id: amplitudeId,
    merged_amplitude_id: mergedAmplitudeId,
  }))
  const name = `-${organisationId}/-${organisationId}_${hour.slice(0, 10)}_${Number(hour.slice(11))}.json.gz`
  return { name, body: await compress(rows.map((row) => `${JSON.stringify(row)}\n`).join('')) }
}
