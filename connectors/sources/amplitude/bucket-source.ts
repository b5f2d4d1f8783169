import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type {
  DownloadedFile,
  UsageSource,
  UsageWindow,
  WindowPart,
} from '../../../src/core/ports/usage-source.ts'
import { batched } from '../batches.ts'
import { type Bucket, type BucketOptions, openBucket } from './bucket.ts'
import { checkGzip } from './check-gzip.ts'
import { eventsSql, narrowEventsSql } from './events-sql.ts'
import { MERGED, stagedPath, windowOf } from './export-names.ts'
import { HOUR_MS, hoursBetween } from './hours.ts'
import { openFiles } from './open-files.ts'
import { sampleHeads } from './sample-heads.ts'

/** "The export finishes within one hour after the currently exported hour" (Amplitude, S3 export). */
const DUE_HOURS = 1
/** Objects are small: most of the time goes into waiting for their first byte. */
const AT_ONCE = 8

/**
 * Amplitude's hourly export in an S3-compatible bucket. The windows are the hours of upload, and those of
 * the merged ids; an hour is read again when an object of it is new or replaced.
 */
export function createAmplitudeBucketSource(options: BucketOptions): UsageSource {
  const bucket = openBucket(options)
  return {
    name: 'amplitude',
    // A download starts again from its beginning when an object of it fails.
    maxWindowsPerDownload: 24,
    windows: (from, to, now) => hoursBetween(from, to, now, DUE_HOURS),
    list: (from, to, now, signal) => list(bucket, { from, to, now }, signal),
    download: (windows, dir, signal) => batched(fetchParts(bucket, windows, dir, signal)),
    open: (paths, dir) => batched(openFiles(paths, dir)),
    eventsSql,
    narrow: { eventsSql: narrowEventsSql, sample: sampleHeads },
  }
}

interface Span {
  readonly from: Date
  readonly to: Date
  readonly now: Date
}

async function list(bucket: Bucket, { from, to, now }: Span, signal: AbortSignal) {
  const parts = new Map<string, WindowPart[]>()
  for (const { key } of hoursBetween(from, to, now, DUE_HOURS)) parts.set(key, [])
  for await (const { key: name, etag: version } of bucket.list(signal)) {
    const windowKey = windowOf(name)
    if (windowKey === null) continue
    const { start, end } = spanOf(windowKey)
    // An hour that is not over will have more.
    if (start < from || end > to || end > now) continue
    const list = parts.get(windowKey)
    if (list) list.push({ name, version })
    else parts.set(windowKey, [{ name, version }])
  }
  const windows = [...parts].map(([key, list]) => ({ key, ...spanOf(key), parts: list }))
  return windows.sort((a, b) => (a.key < b.key ? -1 : 1))
}

function spanOf(windowKey: string): { start: Date; end: Date } {
  const hour = windowKey.startsWith(MERGED) ? windowKey.slice(MERGED.length) : windowKey
  const start = new Date(`${hour}:00:00Z`)
  return { start, end: new Date(start.getTime() + HOUR_MS) }
}

async function* fetchParts(
  bucket: Bucket,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
): AsyncGenerator<DownloadedFile> {
  const wanted = windows.flatMap(({ key, parts = [] }) =>
    parts.map((part) => ({ part, windowKey: key })),
  )
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const group = wanted.slice(at, at + AT_ONCE)
    const fetched = await Promise.allSettled(
      group.map(({ part, windowKey }, i) => {
        const path = stagedPath(dir, windowKey, at + i)
        return fetchPart(bucket, part, path, signal).then(() => ({ path, windowKey }))
      }),
    )
    for (const result of fetched) {
      if (result.status === 'rejected') throw result.reason
      yield result.value
    }
  }
}

/** @throws {RetryableError} when the object is another one by now. */
async function fetchPart(bucket: Bucket, part: WindowPart, path: string, signal: AbortSignal) {
  const found = await bucket.save({ key: part.name, etag: part.version }, path, signal)
  if (!found) throw new RetryableError(`${part.name} was replaced or removed while it was read`)
  await checkGzip(path).catch((cause: unknown) => {
    throw new ConfigError(
      `${part.name} in the bucket is no whole gzip file; let Amplitude export its hour again`,
      { cause },
    )
  })
}
