import { open, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import type { DownloadedFile } from '../../../src/core/ports/usage-source.ts'

/** A beginning of this size holds some rows of any export. */
const LEAST_BYTES = 4096
/** By how much gzip makes rows smaller, about. */
const GZIP_FACTOR = 8

/**
 * Takes the first lines of every compressed file, some `bytes` of compressed rows together, into one file
 * in `dir`. Files that hold no more than that are returned as they are.
 */
export async function sampleHeads(
  files: readonly DownloadedFile[],
  dir: string,
  bytes: number,
): Promise<readonly DownloadedFile[]> {
  const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size))
  const total = sizes.reduce((a, b) => a + b, 0)
  if (total <= bytes) return files
  const heads: string[] = []
  for (const [index, { path, windowKey }] of files.entries()) {
    // Merged ids have no properties.
    if (windowKey?.includes('/')) continue
    heads.push(await headOf(path, Math.ceil((bytes * (sizes[index] ?? 0)) / total)))
  }
  const path = join(dir, 'sample.json.gz')
  await writeFile(path, gzipSync(heads.join(''), { level: 1 }))
  return [{ path, windowKey: null }]
}

async function headOf(path: string, bytes: number): Promise<string> {
  const head = Buffer.alloc(Math.max(bytes, LEAST_BYTES))
  const file = await open(path)
  try {
    const { bytesRead } = await file.read(head, 0, head.length, 0)
    // A gzip file that is cut off here is what it should be.
    const text = gunzipSync(head.subarray(0, bytesRead), { finishFlush: constants.Z_SYNC_FLUSH })
    return wholeLines(text, bytes * GZIP_FACTOR)
  } finally {
    await file.close()
  }
}

/** The whole lines within the first `most` bytes, and one of any length. */
function wholeLines(text: Buffer, most: number): string {
  const last = text.lastIndexOf(10, most)
  const end = last < 0 ? text.indexOf(10) : last
  return text.toString('utf8', 0, end + 1)
}
