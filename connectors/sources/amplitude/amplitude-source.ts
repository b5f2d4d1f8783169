import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { RefusedWindowError, RetryableError } from '../../../src/core/errors.ts'
import type { FileBatch, UsageSource, UsageWindow } from '../../../src/core/ports/usage-source.ts'
import { batched } from '../batches.ts'
import { callExport, saveBody } from '../http.ts'
import { eventsSql, narrowEventsSql } from './events-sql.ts'
import { BrokenZipError, unpackExport } from './export-zip.ts'
import { hoursBetween } from './hours.ts'
import { openFiles } from './open-files.ts'
import { sampleHeads } from './sample-heads.ts'

export interface AmplitudeOptions {
  readonly baseUrl: string
  readonly apiKey: string
  readonly secretKey: string
  /**
   * An hour is pulled so many hours after its end; Amplitude has it complete after two (Export API,
   * "Considerations").
   */
  readonly dueHours: number
}

/** Amplitude's Export API and its export files; the window is the UTC hour of upload. */
export function createAmplitudeSource(options: AmplitudeOptions): UsageSource {
  return {
    name: 'amplitude',
    // A week; an answer that is too large is halved.
    maxWindowsPerDownload: 168,
    windows: (from, to, now) => hoursBetween(from, to, now, options.dueHours),
    download: (windows, dir, signal) => download(options, windows, dir, signal),
    open: (paths, dir) => batched(openFiles(paths, dir)),
    eventsSql,
    narrow: { eventsSql: narrowEventsSql, sample: sampleHeads },
  }
}

async function* download(
  options: AmplitudeOptions,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
): AsyncGenerator<FileBatch> {
  const [first, last] = [windows[0], windows.at(-1)]
  if (!first || !last) return
  const url = new URL('/api/2/export', options.baseUrl)
  // Both ends are inclusive.
  url.searchParams.set('start', first.key.replaceAll('-', ''))
  url.searchParams.set('end', last.key.replaceAll('-', ''))
  const answer = await callExport({
    vendor: 'Amplitude',
    urlVariable: 'AMPLITUDE_BASE_URL',
    credentialVariables: 'AMPLITUDE_API_KEY and AMPLITUDE_SECRET_KEY',
    url,
    user: options.apiKey,
    password: options.secretKey,
    signal,
  })
  if (answer.kind === 'empty') return
  if (answer.kind === 'too-large') {
    yield* halve(options, windows, dir, signal, answer.detail)
    return
  }
  const path = join(dir, `${first.key}.zip`)
  await saveBody('Amplitude', answer.response, path)
  try {
    let counter = 0
    yield* batched(unpackExport(path, dir, () => counter++))
  } catch (cause) {
    if (!(cause instanceof BrokenZipError)) throw cause
    throw new RetryableError(`the export of ${first.key} to ${last.key} ${cause.message}`, {
      cause,
    })
  } finally {
    await rm(path, { force: true })
  }
}

/** 400 and 504 mean too much data: ask for less, down to one hour. */
async function* halve(
  options: AmplitudeOptions,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
  detail: string,
): AsyncGenerator<FileBatch> {
  const [first] = windows
  if (!first) return
  if (windows.length === 1) {
    throw new RefusedWindowError(
      `Amplitude refuses the hour ${first.key} (${detail}); an hour above 4 GB can only be had by its S3 export (AMPLITUDE_S3_BUCKET)`,
      first.key,
    )
  }
  const middle = Math.ceil(windows.length / 2)
  yield* download(options, windows.slice(0, middle), dir, signal)
  yield* download(options, windows.slice(middle), dir, signal)
}
