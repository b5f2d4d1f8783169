import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { env } from 'node:process'
import type { Figure } from '../figure.ts'
import { faultsOf, runSync, type Synced, timesLeast } from '../salesforce/run-sync.ts'
import { ownDatabase } from '../stream/installation.ts'

const PEOPLE = 100_000
/** People of an account, on average. */
const COLLEAGUES = 20
/** From so many records on, Salesforce wants them as a job. */
const BULK_FROM = 2_000
const TIMES_LEAST = 1.05

/** A hundred thousand people in five thousand accounts, twice and once more. */
export const salesforceSync: Figure = {
  name: 'salesforce-sync',
  unit: 'calls a needed call',
  async run({ dir, signal, note }) {
    const dataDir = join(dir, 'salesforce-sync')
    await mkdir(dataDir)
    const { DATABASE_URL: url } = env
    const database = url ? await ownDatabase(url) : null
    try {
      const people = peopleIn(env['RIPEN_BENCH_PEOPLE'])
      const bulkFrom = Math.max(200, Math.min(BULK_FROM, people / 15))
      const size = { people, accounts: Math.ceil(people / COLLEAGUES), bulkFrom }
      const result = await runSync({ ...size, dataDir, databaseUrl: database?.url, signal })
      for (const name of ['first', 'changed', 'rerun'] as const) {
        for (const line of told(result[name])) note(`${name}: ${line}`)
      }
      const faults = faultsOf(result, size)
      if (faults.length > 0) throw new Error(faults.join('; '))
      note('all records are as they should be, and nothing was written twice')
      return [
        {
          name: 'salesforce-sync/calls',
          value: timesLeast(result),
          baseline: TIMES_LEAST,
          lessIsBetter: true,
        },
      ]
    } finally {
      await database?.drop()
    }
  },
}

function peopleIn(text: string | undefined): number {
  const people = Number(text ?? PEOPLE)
  if (Number.isInteger(people) && people >= 3_000) return people
  throw new Error('RIPEN_BENCH_PEOPLE must be a whole number from 3000')
}

function told(sync: Synced): string[] {
  const { seconds, calls, least, converted, states, askedAgain, peakRssMb } = sync
  const { counted, kinds, tokens, unauthorised } = calls
  const records = Object.entries(states).map(([state, n]) => `${n} ${state}`)
  const named = (entries: readonly (readonly [string, number])[]) =>
    entries.map(([what, n]) => `${n} ${what}`).join(', ')
  return [
    `${seconds.toFixed(1)} s, ${counted} calls (${named(Object.entries(kinds))})`,
    `${least.calls} calls at least (${named(least.lines)})`,
    `${tokens} new tokens, ${unauthorised} calls with one that had ended, ${converted} leads converted so far`,
    `${records.join(', ')}, asked again ${askedAgain} times, ${peakRssMb.toFixed(0)} MB at most`,
  ]
}
