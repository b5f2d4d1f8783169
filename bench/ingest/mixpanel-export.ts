import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { GeneratedExport } from './generated.ts'
import { mixpanelRow } from './mixpanel-row.ts'
import { emptyExpectation, profilesFor, uploadHours } from './schedule.ts'

/** Mean length of a line. */
const LINE_BYTES = 874

/** Writes a raw export of about `sizeMb`, one file for each day, the same for every run. */
export async function generateMixpanelExport(
  dir: string,
  sizeMb: number,
): Promise<GeneratedExport> {
  const expected = emptyExpectation()
  const folder = join(dir, 'days')
  await mkdir(folder, { recursive: true })
  let bytes = 0
  const days = new Set<string>()
  for (const { rows } of uploadHours(profilesFor(sizeMb * 1e6, LINE_BYTES), expected)) {
    const texts = new Map<string, string[]>()
    for (const row of rows) {
      const day = new Date(row.happenedAt).toISOString().slice(0, 10)
      const lines = texts.get(day) ?? []
      lines.push(mixpanelRow(row))
      texts.set(day, lines)
    }
    for (const [day, lines] of texts) {
      const text = `${lines.join('\n')}\n`
      bytes += text.length
      days.add(day)
      await appendFile(join(folder, `${day}.jsonl`), text)
    }
  }
  return { source: 'mixpanel', files: folder, folder, parts: days.size, bytes, expected }
}
