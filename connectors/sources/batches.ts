import { statSync } from 'node:fs'
import type { DownloadedFile, FileBatch } from '../../src/core/ports/usage-source.ts'

/**
 * Compressed files of this size together are read at once: some 200 MB of JSON, whose rows fit into
 * the memory that DuckDB has by default.
 */
const BATCH_BYTES = 24_000_000

/** Gathers files as they come into batches of about that size. */
export async function* batched(
  files: AsyncIterable<DownloadedFile>,
  bytes: number = BATCH_BYTES,
): AsyncGenerator<FileBatch> {
  let batch: DownloadedFile[] = []
  let size = 0
  for await (const file of files) {
    batch.push(file)
    size += statSync(file.path).size
    if (size < bytes) continue
    yield batch
    batch = []
    size = 0
  }
  if (batch.length > 0) yield batch
}
