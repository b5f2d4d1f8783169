import { createWriteStream } from 'node:fs'
import { type FileHandle, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import yauzl from 'yauzl'

/** Why an export zip cannot be used. */
export class BrokenZipError extends Error {}

const ENTRY = /(?:^|\/)[^/]*_(\d{4}-\d{2}-\d{2})_(\d{1,2})#[^/]*\.json\.gz$/
/** Entries that are not compressed again are copied in one piece up to this size. */
const SMALL_BYTES = 8_000_000
const AT_ONCE = 4

interface OpenZip {
  readonly zip: yauzl.ZipFile
  readonly file: FileHandle
}

/**
 * Unpacks the gzipped hours of one Amplitude export into `dir`, each checked against its checksum,
 * named `<window key>~<counter>.json.gz`. At most a few small entries are held in memory.
 * @throws {BrokenZipError} when the zip is cut short, damaged, or holds a name that is no hour.
 */
export async function unpackExport(
  path: string,
  dir: string,
  nextName: () => number,
): Promise<{ path: string; windowKey: string }[]> {
  const source = await openZip(path)
  const files: { path: string; windowKey: string }[] = []
  const running = new Set<Promise<void>>()
  const failures: unknown[] = []
  try {
    for await (const entry of source.zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      const windowKey = hourOf(entry.fileName)
      const target = join(dir, `${windowKey}~${nextName()}.json.gz`)
      files.push({ path: target, windowKey })
      const writing = unpackEntry(source, entry, target)
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(writing))
      running.add(writing)
      if (running.size >= AT_ONCE) await Promise.race(running)
      if (failures.length > 0) break
    }
    await Promise.all(running)
    if (failures.length > 0) throw failures[0]
  } catch (cause) {
    if (cause instanceof BrokenZipError) throw cause
    throw new BrokenZipError(`is damaged (${messageOf(cause)})`, { cause })
  } finally {
    await Promise.allSettled(running)
    source.zip.close()
    await source.file.close()
  }
  return files
}

async function unpackEntry(source: OpenZip, entry: yauzl.Entry, target: string): Promise<void> {
  const { zip, file } = source
  const stored = entry.compressionMethod === 0 && !entry.isEncrypted()
  if (stored && entry.uncompressedSize <= SMALL_BYTES) {
    const { fileDataStart } = await zip.readLocalFileHeaderPromise(entry, { minimal: true })
    const body = Buffer.allocUnsafe(entry.uncompressedSize)
    const { bytesRead } = await file.read(body, 0, body.length, fileDataStart)
    if (bytesRead < body.length || crc32(body) !== entry.crc32) throw damaged(entry.fileName)
    await writeFile(target, body)
    return
  }
  const body = await zip.openReadStreamPromise(entry)
  await pipeline(body, checksum(entry.crc32, entry.fileName), createWriteStream(target))
}

/** `…_2015-01-01_5#0.json.gz` → `2015-01-01T05`; the hour in the name is not padded. */
function hourOf(name: string): string {
  const match = ENTRY.exec(name)
  const [, day, hour] = match ?? []
  if (!day || !hour || Number(hour) > 23) {
    throw new BrokenZipError(`holds ${name}, which is no hour of an Amplitude export`)
  }
  return `${day}T${hour.padStart(2, '0')}`
}

async function openZip(path: string): Promise<OpenZip> {
  let file: FileHandle | null = null
  try {
    file = await open(path)
    const zip = await yauzl.openPromise(path, { lazyEntries: true, autoClose: false })
    return { zip, file }
  } catch (cause) {
    await file?.close()
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
