import type { FileBatch } from '../../src/core/ports/usage-source.ts'

/**
 * Batches that are read together where only the fields that are kept are read: what has to be done
 * once for each reading costs as much for a small one as for a large one.
 */
const TOGETHER = 3

/** The first batch alone, so that it is read while others are unpacked; then several together. */
export async function* grouped(
  batches: AsyncIterable<FileBatch>,
  most: number = TOGETHER,
): AsyncGenerator<readonly FileBatch[]> {
  let group: FileBatch[] = []
  let wanted = 1
  for await (const batch of batches) {
    group.push(batch)
    if (group.length < wanted) continue
    yield group
    group = []
    wanted = most
  }
  if (group.length > 0) yield group
}
