import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { type ZipEntry, zipBytes } from '../../sandbox/amplitude/zip-writer.ts'
import { amplitudeRow, PROJECT } from './amplitude-row.ts'
import type { GeneratedExport } from './generated.ts'
import { emptyExpectation, profilesFor, uploadHours } from './schedule.ts'

const compress = promisify(gzip)

/** Mean length of a line. */
const LINE_BYTES = 1_595

/** Writes an export of about `sizeMb` (uncompressed), the same for every run; holds one hour of lines. */
export async function generateAmplitudeExport(
  dir: string,
  sizeMb: number,
): Promise<GeneratedExport> {
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
    for (const { hour, rows } of uploadHours(profilesFor(sizeMb * 1e6, LINE_BYTES), expected)) {
      const text = rows.map((row) => `${amplitudeRow(row)}\n`).join('')
      bytes += text.length
      yield await pack(hour, text)
    }
  }
  const zip = join(dir, 'export.zip')
  await pipeline(Readable.from(zipBytes(entries())), createWriteStream(zip))
  return { source: 'amplitude', files: zip, folder, parts: hours, bytes, expected }
}

/** As Amplitude names them: the hour has no leading zero. */
function entryName(hour: string): string {
  return `${PROJECT}/${PROJECT}_${hour.slice(0, 10)}_${Number(hour.slice(11))}#0.json.gz`
}
