import { join } from 'node:path'
import { ConfigError, RetryableError } from '../../../src/core/errors.ts'
import type { FileBatch, UsageWindow } from '../../../src/core/ports/usage-source.ts'
import { checkWhole } from './check-whole.ts'
import { IDLE_MS, type MixpanelOptions } from './options.ts'
import { callMixpanel, saveAnswer } from './transport.ts'

/** Downloads days of the project, both ends included, in one query. */
export async function* exportDays(
  options: MixpanelOptions,
  windows: readonly UsageWindow[],
  dir: string,
  signal: AbortSignal,
  where?: string,
): AsyncGenerator<FileBatch> {
  const [first, last] = [windows[0], windows.at(-1)]
  if (!first || !last) return
  await options.pace?.(signal)
  const url = new URL('/api/2.0/export', options.dataUrl)
  url.searchParams.set('project_id', options.projectId)
  url.searchParams.set('from_date', first.key)
  url.searchParams.set('to_date', last.key)
  if (where !== undefined) url.searchParams.set('where', where)
  const { idleMs = IDLE_MS, serviceAccount, secret } = options
  const urlVariables = 'MIXPANEL_REGION or MIXPANEL_BASE_URL'
  const answer = await callMixpanel({ url, serviceAccount, secret, urlVariables, idleMs, signal })
  if (answer.kind === 'refused') throw refusal(first.key, last.key, answer.detail)
  const path = join(dir, `${first.key}_${last.key}.jsonl`)
  await saveAnswer(answer.body, path)
  const broken = await checkWhole(path)
  if (broken) {
    throw new RetryableError(
      `the export of ${first.key} to ${last.key} ${broken}; it is fetched again`,
    )
  }
  yield [{ path, windowKey: null }]
}

/** The one query that shows late events: rows that Mixpanel processed since then. */
export function processedSince(since: Date): string {
  return `number(properties["mp_processing_time_ms"])>=${since.getTime()}`
}

function refusal(from: string, to: string, detail: string): ConfigError | RetryableError {
  const message = `Mixpanel refuses ${from} to ${to}: ${detail}`
  // Our clocks differ by seconds at midnight; by hours, when the zone is wrong.
  return /later than today/.test(detail)
    ? new RetryableError(`${message}; if this stays, check MIXPANEL_TIMEZONE`)
    : new ConfigError(message)
}
