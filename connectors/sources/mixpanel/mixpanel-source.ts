import { join } from 'node:path'
import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type {
  DownloadedFile,
  FileBatch,
  UsageSource,
  UsageWindow,
} from '../../../src/core/ports/usage-source.ts'
import { batched } from '../batches.ts'
import { exportFiles } from '../export-files.ts'
import { callExport, saveBody } from '../http.ts'
import { checkWhole } from './check-whole.ts'
import { clockProblemsSql } from './clock-problems-sql.ts'
import { eventsSql } from './events-sql.ts'
import { projectDay, startOfDay } from './project-day.ts'

export interface MixpanelOptions {
  readonly baseUrl: string
  readonly projectId: string
  readonly serviceAccount: string
  readonly secret: string
  /** The project's zone if it is from before 2023, else UTC. */
  readonly timezone: string
  /** Asked for permission before every query: a project has 60 an hour and 3 a second. */
  readonly pace?: (signal: AbortSignal) => Promise<void>
}

const DAY_MS = 86_400_000
/** Files are not compressed here. */
const BATCH_BYTES = 200_000_000
/** Events arrive up to five days late by the usual way (Mixpanel, `/track`). */
const LOOK_BACK_DAYS = 5

/** Mixpanel's raw export and its files; the window is the day of the project. */
export function createMixpanelSource(options: MixpanelOptions): UsageSource {
  return {
    name: 'mixpanel',
    oneIdSpace: true,
    maxWindowsPerDownload: 30,
    lookBackMs: LOOK_BACK_DAYS * DAY_MS,
    windows: (from, to, now) => daysBetween(from, to, now, options.timezone),
    download: (windows, dir, signal) => download(options, windows, dir, signal),
    open: (paths) => batched(openFiles(paths), BATCH_BYTES),
    eventsSql: (files) => eventsSql(files, options.timezone),
    problemsSql: (files) => clockProblemsSql(files, options.timezone),
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

async function* download(
  options: MixpanelOptions,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
): AsyncGenerator<FileBatch> {
  const [first, last] = [windows[0], windows.at(-1)]
  if (!first || !last) return
  await options.pace?.(signal)
  const url = new URL('/api/2.0/export', options.baseUrl)
  url.searchParams.set('project_id', options.projectId)
  url.searchParams.set('from_date', first.key)
  url.searchParams.set('to_date', last.key)
  const answer = await callExport({
    vendor: 'Mixpanel',
    urlVariable: 'MIXPANEL_BASE_URL',
    credentialVariables: 'MIXPANEL_SERVICE_ACCOUNT, MIXPANEL_SECRET and MIXPANEL_PROJECT_ID',
    url,
    user: options.serviceAccount,
    password: options.secret,
    signal,
  })
  if (answer.kind === 'empty') return
  if (answer.kind === 'too-large') {
    throw new ConfigError(`Mixpanel refuses ${first.key} to ${last.key}: ${answer.detail}`)
  }
  const path = join(dir, `${first.key}_${last.key}.jsonl`)
  await saveBody('Mixpanel', answer.response, path)
  const broken = await checkWhole(path)
  if (broken) {
    throw new RetryableError(
      `the export of ${first.key} to ${last.key} ${broken}; it is fetched again`,
    )
  }
  yield [{ path, windowKey: null }]
}

async function* openFiles(paths: readonly string[]): AsyncGenerator<DownloadedFile> {
  const files = await exportFiles('Mixpanel', '.jsonl', paths)
  for (const path of files) {
    const broken = await checkWhole(path)
    if (broken) throw new ConfigError(`${path} ${broken}; export it again`)
    yield { path, windowKey: null }
  }
}
