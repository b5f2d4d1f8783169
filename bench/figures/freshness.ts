import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runContender } from '../child.ts'
import type { Figure } from '../figure.ts'
import { PEOPLE, QUALIFIED } from '../freshness/population.ts'
import type { WorkInput, WorkOutput } from '../freshness/work.ts'
import { ownDatabase } from '../stream/installation.ts'

const LIMIT_SECONDS = 5

/** How soon who is qualified is in the CRM when everybody changes at once and events stream in. */
export const freshness: Figure = {
  name: 'freshness',
  unit: 's',
  async run({ dir, signal, note }) {
    const dataDir = join(dir, 'freshness')
    await mkdir(dataDir)
    const { DATABASE_URL: url } = process.env
    const database = url ? await ownDatabase(url) : null
    const vendor = fork(new URL('../freshness/vendor.ts', import.meta.url), {
      stdio: ['ignore', 2, 'inherit', 'ipc'],
    })
    try {
      const [told] = (await once(vendor, 'message', { signal })) as [{ baseUrl: string }]
      const result = await runContender<WorkInput, WorkOutput>(
        new URL('../freshness/work.ts', import.meta.url),
        { ...told, dataDir, databaseUrl: database?.url },
        signal,
      )
      const { contacts, companies, tasks, others, posted, timeline } = result
      for (const line of timeline) note(line)
      note(`contacts: ${told3(contacts)}; companies: ${told3(companies)}; tasks: ${told3(tasks)}`)
      note(`the other ${others.length} of ${PEOPLE}: ${told3(others)}; ${posted} webhooks`)
      const all = [...contacts, ...companies, ...tasks].sort((a, b) => a - b)
      if (all.length < 3 * QUALIFIED) throw new Error(`only ${all.length} of who is qualified`)
      return [
        {
          name: 'freshness/window-to-crm-p99',
          value: quantile(all, 0.99),
          baseline: LIMIT_SECONDS,
          lessIsBetter: true,
        },
      ]
    } finally {
      const ended = once(vendor, 'exit')
      vendor.kill('SIGKILL')
      await ended
      await database?.drop()
    }
  },
}

const told3 = (times: readonly number[]): string =>
  `median ${quantile(times, 0.5).toFixed(2)} s, 99 % ${quantile(times, 0.99).toFixed(2)} s, last ${quantile(times, 1).toFixed(2)} s`

function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.POSITIVE_INFINITY
}
