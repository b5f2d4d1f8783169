import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Figure } from '../figure.ts'
import { faultsOf, runSync } from '../hubspot/run-sync.ts'
import type { Synced } from '../hubspot/sync.ts'
import { ownDatabase } from '../stream/installation.ts'

const CONTACTS = 100_000
const COMPANIES = 5_000
/** What HubSpot allows a Professional or Enterprise account in ten seconds. */
const LIMIT = 190
const CALLS_PER_HUNDRED = 1.02

/** A hundred thousand contacts and five thousand companies, twice and once more. */
export const hubspotSync: Figure = {
  name: 'hubspot-sync',
  unit: 'calls/10 s',
  async run({ dir, signal, note }) {
    const dataDir = join(dir, 'hubspot-sync')
    await mkdir(dataDir)
    const { DATABASE_URL: url } = process.env
    const database = url ? await ownDatabase(url) : null
    try {
      const size = { contacts: CONTACTS, companies: COMPANIES }
      const result = await runSync({ ...size, dataDir, databaseUrl: database?.url, signal })
      for (const name of ['first', 'changed', 'rerun'] as const) {
        note(`${name}: ${told(result[name])}`)
      }
      const faults = faultsOf(result, CONTACTS / 1_000)
      if (faults.length > 0) throw new Error(faults.join('; '))
      const { changed } = result
      return [
        { name: 'hubspot-sync/rate', value: changed.calls.perTenSeconds, baseline: LIMIT },
        {
          name: 'hubspot-sync/writes-per-hundred',
          value: (changed.calls.wholeWrites * 100) / (CONTACTS + COMPANIES - CONTACTS / 1_000),
          baseline: CALLS_PER_HUNDRED,
          unit: 'calls',
          lessIsBetter: true,
        },
      ]
    } finally {
      await database?.drop()
    }
  },
}

function told({ seconds, calls, merges, states, askedAgain }: Synced): string {
  const { reads, writes, perTenSeconds, refused429, failed5xx, broken } = calls
  const records = Object.entries(states).map(([state, n]) => `${n} ${state}`)
  return `${seconds.toFixed(1)} s, ${reads} reads, ${writes} writes, ${perTenSeconds} calls in 10 s, ${refused429} × 429, ${failed5xx} × 5xx, ${broken} broken off, ${merges} merges so far, ${records.join(', ')}, asked again ${askedAgain} times`
}
