import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import express from 'express'
import { createAmplitudeSource } from '../../connectors/sources/amplitude/amplitude-source.ts'
import {
  type AmplitudeSandbox,
  type AmplitudeSandboxOptions,
  createAmplitudeSandbox,
} from '../../sandbox/amplitude/amplitude-sandbox.ts'
import { listen } from '../../sandbox/listen.ts'
import type {
  DownloadedFile,
  FileBatch,
  UsageSource,
  UsageWindow,
} from '../../src/core/ports/usage-source.ts'
import type { Duck } from '../../src/infra/lake/duck.ts'

/** A row of an export as it is on the wire, with little in it. */
export function exportRow(n: number, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    uuid: `0b1c2d3e-0000-4000-8000-${String(n).padStart(12, '0')}`,
    event_type: 'Query Run',
    event_time: '2026-09-01 05:00:00.000000',
    server_upload_time: '2026-09-01 05:10:00.000000',
    user_id: 'ann',
    device_id: 'dev-ann',
    amplitude_id: 100 + n,
    event_properties: {},
    user_properties: {},
    ...more,
  })
}

export interface ExportStandIn {
  readonly sandbox: AmplitudeSandbox
  readonly source: UsageSource
  close(): Promise<void>
}

/** The stand-in on a port of its own and the connector that points at it. */
export async function startExport(
  options: Pick<AmplitudeSandboxOptions, 'events'> & Partial<AmplitudeSandboxOptions>,
  secretKey = 'secret',
): Promise<ExportStandIn> {
  const sandbox = createAmplitudeSandbox({ apiKey: 'key', secretKey: 'secret', ...options })
  const { baseUrl, close } = await listen(express().use(sandbox.router))
  const source = createAmplitudeSource({ baseUrl, apiKey: 'key', secretKey, dueHours: 3 })
  return { sandbox, source, close }
}

/** The windows of whole hours, all of them due. */
export function hours(source: UsageSource, from: string, to: string): readonly UsageWindow[] {
  const [first, last] = [new Date(`${from}:00:00Z`), new Date(`${to}:00:00Z`)]
  return source.windows(first, last, new Date('2027-01-01T00:00:00Z'))
}

/** One canonical row, as far as tests look at it. */
export interface ReadRow {
  readonly window: string
  readonly key: string
  readonly name: string
  readonly at: string
}

/** Takes every batch and reads it as the lake does: one row for each event. */
export async function readRows(
  duck: Duck,
  source: UsageSource,
  batches: AsyncIterable<FileBatch>,
): Promise<ReadRow[]> {
  const rows: ReadRow[] = []
  for await (const files of batches) rows.push(...(await readBatch(duck, source, files)))
  return rows.sort((a, b) => (`${a.window} ${a.key}` < `${b.window} ${b.key}` ? -1 : 1))
}

async function readBatch(duck: Duck, source: UsageSource, files: readonly DownloadedFile[]) {
  const { sql, params } = source.eventsSql(files)
  const rows = await duck.connect((c) => c.rows(`select * from (${sql})`, params))
  return rows.map((row) => ({
    window: String(row['window_key']),
    key: String(row['event_key']).slice(-4),
    name: String(row['name']),
    at: (row['occurred_at'] as Date).toISOString(),
  }))
}

/** A folder for one download. */
export const downloadDir = (dir: string): Promise<string> => mkdtemp(join(dir, 'download-'))
