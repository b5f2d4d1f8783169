import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  type AmplitudeMerge,
  exportEntries,
  mergedIdsEntry,
} from '../../sandbox/amplitude/export-archive.ts'
import type { ZipEntry } from '../../sandbox/amplitude/zip-writer.ts'
import type { UsageRows } from '../../sandbox/company/usage-rows.ts'

/** Writes hours into a folder as Amplitude's S3 export lays them out. */
export async function writeTree(dir: string, rows: UsageRows): Promise<void> {
  for await (const entry of exportEntries('431207', rows, [...rows.keys()].sort())) {
    await writeEntry(dir, entry)
  }
}

/** Writes the merged ids of one hour beside it, or writes over them. */
export async function writeMerges(
  dir: string,
  hour: string,
  merges: readonly AmplitudeMerge[],
): Promise<void> {
  await writeEntry(dir, await mergedIdsEntry('9', hour, merges))
}

async function writeEntry(dir: string, { name, body }: ZipEntry): Promise<void> {
  const path = join(dir, name)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, body)
}
