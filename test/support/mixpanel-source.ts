import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import { createMixpanelSource } from '../../connectors/sources/mixpanel/mixpanel-source.ts'
import type { MixpanelOptions } from '../../connectors/sources/mixpanel/options.ts'
import { listen } from '../../sandbox/listen.ts'
import {
  createMixpanelSandbox,
  type MixpanelSandbox,
  type MixpanelSandboxOptions,
} from '../../sandbox/mixpanel/mixpanel-sandbox.ts'
import type { FileBatch, UsageSource, UsageWindow } from '../../src/core/ports/usage-source.ts'
import { type Duck, startDuck } from '../../src/infra/lake/duck.ts'

/** The connector and the stand-in that it talks to on the wire. */
export interface MixpanelSubject {
  readonly sandbox: MixpanelSandbox
  readonly source: UsageSource
  readonly dir: string
  readonly duck: Duck
  /** Downloads the windows from one key to another and reads them as canonical rows, oldest first. */
  rows(from: string, to: string): Promise<Record<string, unknown>[]>
  /** Reads downloaded files as canonical rows. */
  read(batches: AsyncIterable<FileBatch> | Iterable<FileBatch>): Promise<Record<string, unknown>[]>
  /** What the connector finds wrong with the days. */
  problems(from: string, to: string): Promise<string[]>
  close(): Promise<void>
}

export interface MixpanelSetUp {
  readonly now: Date
  readonly sandbox: Partial<MixpanelSandboxOptions> & Pick<MixpanelSandboxOptions, 'events'>
  readonly source?: Partial<MixpanelOptions>
}

export const never: AbortSignal = new AbortController().signal
const SECRET = 'mixpanel-contract-secret'

export async function openMixpanel(setUp: MixpanelSetUp): Promise<MixpanelSubject> {
  const timezone = setUp.source?.timezone ?? 'UTC'
  const sandbox = createMixpanelSandbox({
    projectId: '88',
    serviceAccount: 'robot',
    secret: SECRET,
    timezone,
    ratePerHour: 100_000,
    ratePerSecond: 100_000,
    now: () => setUp.now,
    ...setUp.sandbox,
  })
  const server = await listen(express().use(sandbox.router))
  const source = createMixpanelSource({
    dataUrl: server.baseUrl,
    queryUrl: server.baseUrl,
    projectId: '88',
    serviceAccount: 'robot',
    secret: SECRET,
    timezone,
    ...setUp.source,
  })
  const dir = await mkdtemp(join(tmpdir(), 'ripen mixpanel '))
  const duck = await startDuck({ dataDir: dir, memoryMb: 256, threads: 1 })
  const windows = (from: string, to: string) => {
    const until = new Date(Date.parse(to) + 3 * 86_400_000)
    return source
      .windows(new Date(Date.parse(from) - 86_400_000), until, setUp.now)
      .filter(({ key }) => key >= from && key <= to)
  }
  const read: MixpanelSubject['read'] = async (batches) => {
    const rows: Record<string, unknown>[] = []
    for await (const files of batches) {
      const { sql, params } = source.eventsSql(files)
      const some = await duck.connect((c) =>
        c.rows(`select * from (${sql}) order by occurred_at, event_key`, params),
      )
      rows.push(...some)
    }
    return rows
  }
  const download = (asked: readonly UsageWindow[]) => source.download(asked, dir, never)
  return {
    sandbox,
    source,
    dir,
    duck,
    rows: (from, to) => read(download(windows(from, to))),
    read,
    async problems(from, to) {
      const found: string[] = []
      for await (const files of download(windows(from, to))) {
        const query = source.problemsSql?.(files)
        if (!query) continue
        const rows = await duck.connect((c) => c.rows(query.sql, query.params))
        found.push(...rows.map((row) => String(row['problem'])))
      }
      return found
    },
    async close() {
      duck.close()
      await server.close()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** The wall clock of a zone at an instant, in seconds as if it were UTC. */
export function wallSeconds(at: Date, timezone: string): number {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(at)
  return Date.parse(`${parts.replace(' ', 'T')}Z`) / 1000
}
