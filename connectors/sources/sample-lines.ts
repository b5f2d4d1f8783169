import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { DownloadedFile } from '../../src/core/ports/usage-source.ts'

/** A line is looked for in so much of the file. */
const PIECE_BYTES = 32_768

/**
 * Takes whole lines from places evenly spread over uncompressed files, some `bytes` together, into one
 * file in `dir`. The same files yield the same lines. Files that hold no more than that are returned as
 * they are.
 */
export async function sampleLines(
  files: readonly DownloadedFile[],
  dir: string,
  bytes: number,
): Promise<readonly DownloadedFile[]> {
  const sizes = await Promise.all(files.map(({ path }) => sizeOf(path)))
  const total = sizes.reduce((a, b) => a + b, 0)
  if (total <= bytes) return files
  const lines: string[] = []
  for (const [index, { path }] of files.entries()) {
    const size = sizes[index] ?? 0
    lines.push(...(await linesOf(path, size, Math.ceil((bytes * size) / total))))
  }
  const path = join(dir, 'sample.jsonl')
  await writeFile(path, lines.join(''))
  return [{ path, windowKey: null }]
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path)
  try {
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

/** The first of the lines is the measure of how many make up so many bytes. */
async function linesOf(path: string, size: number, bytes: number): Promise<string[]> {
  const file = await open(path)
  const piece = Buffer.allocUnsafe(PIECE_BYTES)
  const lineAt = async (offset: number): Promise<string | null> => {
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES, offset)
    const start = offset === 0 ? 0 : piece.subarray(0, bytesRead).indexOf(10) + 1
    const end = piece.subarray(0, bytesRead).indexOf(10, start)
    if ((start === 0 && offset > 0) || end < 0) return null
    return piece.toString('utf8', start, end + 1)
  }
  try {
    const first = await lineAt(0)
    const steps = Math.ceil(bytes / (first ? Buffer.byteLength(first) : PIECE_BYTES))
    const lines = first === null ? [] : [first]
    for (let step = 1; step < steps; step++) {
      const line = await lineAt(Math.floor((size * step) / steps))
      if (line !== null) lines.push(line)
    }
    return lines
  } finally {
    await file.close()
  }
}
