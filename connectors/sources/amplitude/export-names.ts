import { join } from 'node:path'

/** Leads the keys of windows that hold merges of Amplitude ids, and no events. */
export const MERGED = 'merged/'

/** `<project>_2015-01-01_5#0.json.gz`; the hour is not padded. */
const EVENTS = /(?:^|\/)[^/]*_(\d{4}-\d{2}-\d{2})_(\d{1,2})#[^/]*\.json\.gz$/
/** `-<organisation>_2015-01-01_5.json.gz`. */
const MERGES = /(?:^|\/)-[^/_]+_(\d{4}-\d{2}-\d{2})_(\d{1,2})\.json\.gz$/

/**
 * The window of a file as Amplitude names it, with or without folders in front: the hour of upload,
 * such as `2015-01-01T05` for events and `merged/2015-01-01T05` for merged ids; null for any other name.
 */
export function windowOf(name: string): string | null {
  const events = hourOf(EVENTS.exec(name))
  if (events !== null) return events
  const merges = hourOf(MERGES.exec(name))
  return merges === null ? null : `${MERGED}${merges}`
}

function hourOf(match: RegExpExecArray | null): string | null {
  const [, day = '', hour = ''] = match ?? []
  const key = `${day}T${hour.padStart(2, '0')}`
  const at = new Date(`${key}:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(key) ? key : null
}

/** Where a file of a window is laid for `eventsSql`, which reads the window from the name. */
export function stagedPath(dir: string, windowKey: string, counter: number): string {
  return join(dir, `${windowKey.replace('/', '-')}~${counter}.json.gz`)
}
