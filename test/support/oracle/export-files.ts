import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { gunzipSync } from 'node:zlib'
import yauzl from 'yauzl'
import type { UsageRows } from '../../../sandbox/company/usage-rows.ts'
import { amplitudeEvent, mixpanelEvent, type RawEvent } from './raw-events.ts'

/** Everything in a folder with `amplitude/*.zip` and `mixpanel/*.jsonl`, as the vendors export it. */
export async function readExports(folder: string, zone = 'UTC'): Promise<RawEvent[]> {
  const events: RawEvent[] = []
  for (const name of await readdir(join(folder, 'amplitude'))) {
    for await (const { window, lines } of entriesOf(join(folder, 'amplitude', name))) {
      for (const line of lines) events.push(amplitudeEvent(line, window))
    }
  }
  for (const name of await readdir(join(folder, 'mixpanel'))) {
    const text = await readFile(join(folder, 'mixpanel', name), 'utf8')
    for (const line of linesOf(text)) events.push(mixpanelEvent(line, zone))
  }
  return events
}

/** The gzipped JSON lines of an Export API answer; each entry is named for its hour of upload. */
async function* entriesOf(path: string): AsyncGenerator<{ window: string; lines: string[] }> {
  const zip = await yauzl.openPromise(path, { lazyEntries: true })
  for await (const entry of zip.eachEntry()) {
    const [, day, hour] = /_(\d{4}-\d{2}-\d{2})_(\d{1,2})#/.exec(entry.fileName) ?? []
    if (day === undefined || hour === undefined) continue
    const body = gunzipSync(await buffer(await zip.openReadStreamPromise(entry)))
    yield { window: `${day}T${hour.padStart(2, '0')}`, lines: linesOf(body.toString('utf8')) }
  }
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '')

/** The rows that a stand-in serves, by hour of upload and by day. */
export function readRows(
  rows: { readonly amplitude: UsageRows; readonly mixpanel: UsageRows },
  zone = 'UTC',
): RawEvent[] {
  const events: RawEvent[] = []
  for (const hour of rows.amplitude.keys()) {
    for (const line of rows.amplitude.get(hour) ?? []) events.push(amplitudeEvent(line, hour))
  }
  for (const day of rows.mixpanel.keys()) {
    for (const line of rows.mixpanel.get(day) ?? []) events.push(mixpanelEvent(line, zone))
  }
  return events
}
