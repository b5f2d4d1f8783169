import { closeSync, createWriteStream, openSync, readSync, writeFileSync } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import yauzl from 'yauzl'
import type { DownloadedFile } from '../../../src/core/ports/usage-source.ts'
import { stagedPath, windowOf } from './export-names.ts'

/** Why an export zip cannot be used. */
export class BrokenZipError extends Error {}

/** Entries that are not compressed again are copied in one piece up to this size. */
const SMALL_BYTES = 4_000_000

interface OpenZip {
  readonly zip: yauzl.ZipFile
  readonly file: number
  /** Holds one small entry after the other. */
  readonly space: Buffer
}

/**
 * Unpacks the gzipped hours of one Amplitude export into `dir`, each checked against its checksum and
 * named by `stagedPath`; yields each once it is there. At most one small entry is held in memory.
 * @throws {BrokenZipError} when the zip is cut short, damaged, or holds a name that is no hour.
 */
export async function* unpackExport(
  path: string,
  dir: string,
  nextName: () => number,
): AsyncGenerator<DownloadedFile> {
  const source = await openZip(path)
  try {
    for await (const entry of source.zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      const windowKey = hourOf(entry.fileName)
      const target = stagedPath(dir, windowKey, nextName())
      await unpackEntry(source, entry, target)
      yield { path: target, windowKey }
    }
  } catch (cause) {
    if (cause instanceof BrokenZipError) throw cause
    throw new BrokenZipError(`is damaged (${messageOf(cause)})`, { cause })
  } finally {
    source.zip.close()
    closeSync(source.file)
  }
}

/** Small entries take the synchronous way: hundreds of them wait mostly for each other otherwise. */
async function unpackEntry({ zip, file, space }: OpenZip, entry: yauzl.Entry, target: string) {
  const stored = entry.compressionMethod === 0 && !entry.isEncrypted()
  if (stored && entry.uncompressedSize <= SMALL_BYTES) {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
    const body = space.subarray(0, entry.uncompressedSize)
    const bytesRead = readSync(file, body, 0, body.length, fileDataStart)
    if (bytesRead < body.length || crc32(body) !== entry.crc32) throw damaged(entry.fileName)
    writeFileSync(target, body)
    return
  }
  const body = await zip.openReadStreamPromise(entry)
  await pipeline(body, checksum(entry.crc32, entry.fileName), createWriteStream(target))
}

function hourOf(name: string): string {
  const windowKey = windowOf(name)
  if (windowKey !== null) return windowKey
  throw new BrokenZipError(`holds ${name}, which is no hour of an Amplitude export`)
}

async function openZip(path: string): Promise<OpenZip> {
  let file: number | null = null
  try {
    file = openSync(path, 'r')
    const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false })
    return { zip, file, space: Buffer.allocUnsafe(SMALL_BYTES) }
  } catch (cause) {
    if (file !== null) closeSync(file)
    throw new BrokenZipError(`is no whole zip (${messageOf(cause)})`, { cause })
  }
}

function checksum(expected: number, name: string): Transform {
  let sum = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sum = crc32(chunk, sum)
      done(null, chunk)
    },
    flush(done) {
      done(sum === expected ? null : damaged(name))
    },
  })
}

const damaged = (name: string) => new BrokenZipError(`is damaged at ${name} (wrong checksum)`)

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
