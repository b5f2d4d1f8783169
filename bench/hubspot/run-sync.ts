import { fork } from 'node:child_process'
import { once } from 'node:events'
import { type ContenderResult, runContender } from '../child.ts'
import type { Size } from './population.ts'
import type { SyncInput, SyncOutput } from './sync.ts'

export interface RunOptions extends Size {
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
  readonly signal: AbortSignal
}

/** Starts HubSpot's stand-in in a process of its own, and syncs with it from another. */
export async function runSync(options: RunOptions): Promise<SyncOutput & ContenderResult> {
  const { signal, ...input } = options
  const size: Size = { contacts: input.contacts, companies: input.companies }
  const vendor = fork(new URL('vendor.ts', import.meta.url), [JSON.stringify(size)], {
    stdio: ['ignore', 2, 'inherit', 'ipc'],
  })
  try {
    const [told] = (await once(vendor, 'message', { signal })) as [{ baseUrl: string }]
    return await runContender<SyncInput, SyncOutput>(
      new URL('sync.ts', import.meta.url),
      { ...input, ...told },
      signal,
    )
  } finally {
    const ended = once(vendor, 'exit')
    vendor.kill('SIGKILL')
    await ended
  }
}

/** What a run must show besides its speed; empty when it did. */
export function faultsOf({ first, changed, rerun }: SyncOutput, poison: number): string[] {
  const faults: string[] = []
  const hold = (what: string, value: number, wanted: number) => {
    if (value !== wanted) faults.push(`${what}: ${value} instead of ${wanted}`)
  }
  for (const [name, sync] of Object.entries({ first, changed, rerun })) {
    hold(`${name}: wrong contacts`, sync.wrongContacts, 0)
    hold(`${name}: wrong companies`, sync.wrongCompanies, 0)
    hold(`${name}: surplus records`, sync.surplus, 0)
    hold(`${name}: duplicates`, sync.duplicates, 0)
    hold(`${name}: calls answered 429`, sync.calls.refused429, 0)
    hold(`${name}: parked records`, sync.states['parked'] ?? 0, poison)
    hold(`${name}: parked records with HubSpot's reason`, sync.parkedWithReason, poison)
  }
  hold('rerun: write calls', rerun.calls.writes, 0)
  return faults
}
