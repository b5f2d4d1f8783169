import { crc32 } from 'node:zlib'

/** A file within a zip; its body is stored as it is. */
export interface ZipEntry {
  readonly name: string
  readonly body: Buffer
}

/** 1 January 1980, the earliest date that a zip can tell. */
const EARLIEST_DATE = 0x21
const UTF8_NAMES = 0x0800

interface Place {
  readonly name: Buffer
  readonly sum: number
  readonly size: number
  readonly offset: number
}

/** Yields the bytes of a zip as its entries come. Holds one entry at a time; up to 4 GB in all. */
export async function* zipBytes(
  entries: Iterable<ZipEntry> | AsyncIterable<ZipEntry>,
): AsyncGenerator<Buffer> {
  const places: Place[] = []
  let offset = 0
  for await (const { name, body } of entries) {
    const place = { name: Buffer.from(name), sum: crc32(body), size: body.length, offset }
    places.push(place)
    const head = Buffer.concat([localHeader(place), place.name])
    yield head
    yield body
    offset += head.length + body.length
  }
  const directory = Buffer.concat(places.flatMap((place) => [directoryHeader(place), place.name]))
  yield directory
  yield endRecord(places.length, directory.length, offset)
}

function localHeader({ name, sum, size }: Place): Buffer {
  const header = Buffer.alloc(30)
  header.writeUInt32LE(0x04034b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(UTF8_NAMES, 6)
  header.writeUInt16LE(EARLIEST_DATE, 12)
  header.writeUInt32LE(sum, 14)
  header.writeUInt32LE(size, 18)
  header.writeUInt32LE(size, 22)
  header.writeUInt16LE(name.length, 26)
  return header
}

function directoryHeader({ name, sum, size, offset }: Place): Buffer {
  const header = Buffer.alloc(46)
  header.writeUInt32LE(0x02014b50, 0)
  header.writeUInt16LE(20, 4)
  header.writeUInt16LE(20, 6)
  header.writeUInt16LE(UTF8_NAMES, 8)
  header.writeUInt16LE(EARLIEST_DATE, 14)
  header.writeUInt32LE(sum, 16)
  header.writeUInt32LE(size, 20)
  header.writeUInt32LE(size, 24)
  header.writeUInt16LE(name.length, 28)
  header.writeUInt32LE(offset, 42)
  return header
}

function endRecord(entries: number, directorySize: number, directoryOffset: number): Buffer {
  const record = Buffer.alloc(22)
  record.writeUInt32LE(0x06054b50, 0)
  record.writeUInt16LE(entries, 8)
  record.writeUInt16LE(entries, 10)
  record.writeUInt32LE(directorySize, 12)
  record.writeUInt32LE(directoryOffset, 16)
  return record
}
