import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { crc32 } from 'node:zlib'
import yauzl from 'yauzl'

/** Why an export zip cannot be used. */
export class BrokenZipError extends Error {}

const ENTRY = /(?:^|\/)[^/]*_(\d{4}-\d{2}-\d{2})_(\d{1,2})#[^/]*\.json\.gz$/

/**
 * Unpacks the gzipped hours of one Amplitude export into `dir`, each checked against its checksum,
 * named `<window key>~<counter>.json.gz`. Nothing is held in memory.
 * @throws {BrokenZipError} when the zip is cut short, damaged, or holds a name that is no hour.
 */
export async function unpackExport(
  path: string,
  dir: string,
  nextName: () => number,
): Promise<{ path: string; windowKey: string }[]> {
  const zip = await openZip(path)
  const files: { path: string; windowKey: string }[] = []
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName.endsWith('/')) continue
      const windowKey = hourOf(entry.fileName)
      const target = join(dir, `${windowKey}~${nextName()}.json.gz`)
      const body = await zip.openReadStreamPromise(entry)
      const sum = checksum(entry.crc32, entry.fileName)
      await pipeline(body, sum, createWriteStream(target))
      files.push({ path: target, windowKey })
    }
  } catch (cause) {
    if (cause instanceof BrokenZipError) throw cause
    throw new BrokenZipError(`is damaged (${messageOf(cause)})`, { cause })
  } finally {
    zip.close()
  }
  return files
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

async function openZip(path: string): Promise<yauzl.ZipFile> {
  try {
    return await yauzl.openPromise(path, { lazyEntries: true, autoClose: false })
  } catch (cause) {
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
      done(sum === expected ? null : new BrokenZipError(`is damaged at ${name} (wrong checksum)`))
    },
  })
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
