import type { UsageSource, UsageWindow } from '../../../src/core/ports/usage-source.ts'
import { batched } from '../batches.ts'
import { sampleLines } from '../sample-lines.ts'
import { clockProblemsSql } from './clock-problems-sql.ts'
import { narrowEventsSql } from './events-sql.ts'
import { exportDays, processedSince } from './export-days.ts'
import { openFiles } from './open-files.ts'
import type { MixpanelOptions } from './options.ts'
import { PEOPLE, profilePage, profileWindow } from './profile-pages.ts'
import { projectDay, startOfDay } from './project-day.ts'
import { rawExports, rowsSql } from './rows-sql.ts'

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
/** Files are not compressed here. */
const BATCH_BYTES = 80_000_000
/** Events arrive up to five days late by the usual way (Mixpanel, `/track`). */
const LOOK_BACK_DAYS = 5

/** Mixpanel's raw export, profiles and their files; the window is the day of the project. */
export function createMixpanelSource(options: MixpanelOptions): UsageSource {
  const { timezone, lookBackDays = LOOK_BACK_DAYS, openDayEveryMs = 15 * MINUTE_MS } = options
  const { sweepEveryMs = 0, sweepDays = 0, profilesEveryMs = 0, groups = {} } = options
  return {
    name: 'mixpanel',
    oneIdSpace: true,
    maxWindowsPerDownload: 30,
    lookBackMs: lookBackDays * DAY_MS,
    openEveryMs: openDayEveryMs,
    windows: (from, to, now) => daysBetween(from, to, now, timezone),
    download: (windows, dir, signal) => exportDays(options, windows, dir, signal),
    open: (paths) => batched(openFiles(paths), BATCH_BYTES),
    eventsSql: (files) => rowsSql(files, timezone),
    narrow: {
      eventsSql: (files, places) =>
        rawExports(files).length === files.length ? narrowEventsSql(files, places, timezone) : null,
      sample: sampleLines,
    },
    problemsSql: (files) => {
      const raw = rawExports(files)
      return raw.length > 0 ? clockProblemsSql(raw, timezone) : null
    },
    ...(sweepEveryMs > 0 && sweepDays > 0
      ? {
          lateSweep: {
            everyMs: sweepEveryMs,
            backMs: sweepDays * DAY_MS,
            download: (windows, since, dir, signal) =>
              exportDays(options, windows, dir, signal, processedSince(since)),
          },
        }
      : {}),
    ...(profilesEveryMs > 0
      ? {
          profiles: {
            everyMs: profilesEveryMs,
            sets: [PEOPLE, ...Object.keys(groups)],
            windowKey: profileWindow,
            page: (set, cursor, dir, at, signal) =>
              profilePage(options, set, cursor, dir, at, signal),
          },
        }
      : {}),
  }
}

/** The day that is still open is a window too: it is pulled again until it is over. */
function daysBetween(from: Date, to: Date, now: Date, timezone: string): UsageWindow[] {
  const until = projectDay(new Date(Math.min(to.getTime() - 1, now.getTime())), timezone)
  const windows: UsageWindow[] = []
  for (let at = Date.parse(projectDay(from, timezone)); at <= Date.parse(until); at += DAY_MS) {
    const key = new Date(at).toISOString().slice(0, 10)
    const start = startOfDay(key, timezone)
    const end = startOfDay(new Date(at + DAY_MS).toISOString().slice(0, 10), timezone)
    windows.push({ key, start, end })
  }
  return windows
}
