import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type ZipEntry, zipBytes } from '../../sandbox/amplitude/zip-writer.ts'
import { DAYS, EVENTS_PER_GROUP, type Expected, emptyExpectation, uploadHours } from './schedule.ts'
import { PROJECT, wireRow } from './wire-row.ts'

const compress = promisify(gzip)

/** Mean length of a line, and groups of a profile: a third of the days, three kinds each. */
const LINE_BYTES = 1_595
const GROUPS_PER_PROFILE = DAYS

/** A generated export: as the zip that Amplitude sends, and its gzipped hours as files. */
export interface GeneratedExport {
  readonly zip: string
  /** Folder of the gzipped hours. */
  readonly folder: string
  readonly hours: number
  readonly bytes: number
  readonly expected: Expected
}

/** Writes an export of about `sizeMb` (uncompressed), the same for every run; holds one hour of lines. */
export async function generateExport(dir: string, sizeMb: number): Promise<GeneratedExport> {
  const expected = emptyExpectation()
  let hours = 0
  let bytes = 0
  const folder = join(dir, 'hours')
  await mkdir(folder, { recursive: true })
  const pack = async (hour: string, text: string): Promise<ZipEntry> => {
    const body = await compress(text)
    await writeFile(join(folder, `${hour}.json.gz`), body)
    hours++
    return { name: entryName(hour), body }
  }
  async function* entries(): AsyncGenerator<ZipEntry> {
    for (const { hour, rows } of uploadHours(profilesFor(sizeMb), expected)) {
      const text = rows.map((row) => `${wireRow(row)}\n`).join('')
      bytes += text.length
      yield await pack(hour, text)
    }
  }
  const zip = join(dir, 'export.zip')
  await pipeline(Readable.from(zipBytes(entries())), createWriteStream(zip))
  return { zip, folder, hours, bytes, expected }
}

const profilesFor = (sizeMb: number): number =>
  Math.max(3, Math.round((sizeMb * 1e6) / (LINE_BYTES * EVENTS_PER_GROUP * GROUPS_PER_PROFILE)))

/** As Amplitude names them: the hour has no leading zero. */
function entryName(hour: string): string {
  return `${PROJECT}/${PROJECT}_${hour.slice(0, 10)}_${Number(hour.slice(11))}#0.json.gz`
}
