import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exportEntries } from '../../sandbox/amplitude/export-archive.ts'
import { zipBytes } from '../../sandbox/amplitude/zip-writer.ts'

/** One thing that somebody did, as a test writes it down. */
export interface Deed {
  readonly event: string
  readonly at: Date
  /** When Mixpanel processes it; by default soon after. */
  readonly arrived?: Date
  /** Null before somebody signed in. */
  readonly user: string | null
  readonly device?: string
  readonly email?: string
  readonly props?: Readonly<Record<string, string | number>>
  readonly traits?: Readonly<Record<string, string>>
  /** Tells two events apart that are otherwise the same. */
  readonly n?: number
}

type Rows = Map<string, string[]>

/** A small history of usage in the rows of both vendors; it may change under the stand-ins. */
export interface UsageLog {
  /** By UTC hour of upload. */
  readonly amplitudeRows: Rows
  /** By UTC day. */
  readonly mixpanelRows: Rows
  amplitude(deed: Deed): void
  mixpanel(deed: Deed): void
  /** The days and hours are there from the start, so that a stand-in knows them before they fill. */
  open(from: Date, to: Date): void
}

const HOUR_MS = 3_600_000

export function createUsageLog(): UsageLog {
  const amplitudeRows: Rows = new Map()
  const mixpanelRows: Rows = new Map()
  const add = (rows: Rows, key: string, row: unknown) => {
    const list = rows.get(key) ?? []
    list.push(JSON.stringify(row))
    rows.set(key, list)
  }
  return {
    amplitudeRows,
    mixpanelRows,
    amplitude: (deed) => add(amplitudeRows, hourOf(deed.at), amplitudeRow(deed)),
    mixpanel: (deed) => add(mixpanelRows, dayOf(deed.at), mixpanelRow(deed)),
    open(from, to) {
      for (let at = from.getTime(); at < to.getTime(); at += HOUR_MS) {
        const when = new Date(at)
        if (!amplitudeRows.has(hourOf(when))) amplitudeRows.set(hourOf(when), [])
        if (!mixpanelRows.has(dayOf(when))) mixpanelRows.set(dayOf(when), [])
      }
    },
  }
}

/** `YYYY-MM-DDTHH`: an Amplitude window. */
export const hourOf = (at: Date): string => at.toISOString().slice(0, 13)
/** `YYYY-MM-DD`: a Mixpanel window. */
export const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** Writes rows as the files that the vendors hand out. */
export async function writeExports(
  usage: Pick<UsageLog, 'amplitudeRows' | 'mixpanelRows'>,
  dir: string,
): Promise<{ amplitude: string; mixpanel: string }> {
  await mkdir(dir, { recursive: true })
  const files = { amplitude: join(dir, 'export.zip'), mixpanel: join(dir, 'export.jsonl') }
  const { amplitudeRows, mixpanelRows } = usage
  const hours = [...amplitudeRows.keys()].sort()
  const zip = zipBytes(exportEntries('431207', amplitudeRows, hours))
  await pipeline(Readable.from(zip), createWriteStream(files.amplitude))
  const lines = [...mixpanelRows.keys()].sort().flatMap((day) => mixpanelRows.get(day) ?? [])
  await writeFile(files.mixpanel, lines.map((line) => `${line}\n`).join(''))
  return files
}

function amplitudeRow(deed: Deed) {
  const time = `${deed.at.toISOString().slice(0, 23).replace('T', ' ')}000`
  const hash = keyOf('amplitude', deed)
  return {
    uuid: `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`,
    event_type: deed.event,
    event_time: time,
    client_event_time: time,
    server_upload_time: time,
    user_id: deed.user,
    device_id: deed.device ?? null,
    amplitude_id: null,
    event_properties: deed.props ?? {},
    user_properties: { ...(deed.email ? { email: deed.email } : {}), ...deed.traits },
  }
}

function mixpanelRow(deed: Deed) {
  const { user, device, email } = deed
  return {
    event: deed.event,
    properties: {
      time: Math.floor(deed.at.getTime() / 1000),
      distinct_id: user ?? `$device:${device}`,
      ...(user ? { $user_id: user } : {}),
      ...(device ? { $device_id: device } : {}),
      $insert_id: keyOf('mixpanel', deed).slice(0, 16),
      mp_processing_time_ms: deed.arrived?.getTime() ?? deed.at.getTime() + 1500,
      ...(email ? { email } : {}),
      ...deed.props,
    },
  }
}

function keyOf(source: string, deed: Deed): string {
  const { at, event, user, device, n, props } = deed
  const told = [source, at.toISOString(), event, user, device, n ?? 0, props ?? {}]
  return createHash('sha256').update(JSON.stringify(told)).digest('hex')
}
