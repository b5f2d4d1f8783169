import type { HubspotSandboxOptions } from '../../sandbox/hubspot/hubspot-sandbox.ts'
import { endCommands, ripenJson } from './cli.ts'
import { makeFolder } from './embedded-processes.ts'
import { mappingFiles, writeMappings } from './mapping-files.ts'
import { smallUsage, startOf } from './small-usage.ts'
import { createHome, removeFolders, type TestState } from './state.ts'
import type { UsageLog } from './usage-log.ts'
import { startVendors, type Vendors } from './vendors.ts'

const DAY_MS = 86_400_000

/** How far a home has come. */
export type Stage = 'empty' | 'pulled' | 'scored' | 'synced'

/** Stand-ins, mappings and homes for commands that run as processes of their own. */
export interface CliWorld {
  readonly usage: UsageLog
  /** The instant to score at: yesterday's end, so that every run of the day gives the same scores. */
  readonly asOf: string
  /** A mapping folder whose tasks take older evidence, and which creates everybody. */
  readonly mappings: string
  /** Vendors with an empty HubSpot. */
  vendors(hubspot?: HubspotSandboxOptions): Promise<Vendors>
  /** A home that has come so far, copied from one that was made once. */
  home(stage: Exclude<Stage, 'synced'>): Promise<TestState>
  /** Arguments of the three steps. */
  readonly steps: { readonly pull: string[]; readonly score: string[]; readonly sync: string[] }
  close(): Promise<void>
}

export async function openCliWorld(): Promise<CliWorld> {
  const now = new Date(Math.floor(Date.now() / DAY_MS) * DAY_MS)
  const usage = smallUsage(now)
  const asOf = now.toISOString().replace('.000Z', 'Z')
  const mappings = await writeMappings(
    await makeFolder('mappings'),
    await mappingFiles(
      { file: 'hubspot.yaml', from: 'evidence-within: 24h', to: 'evidence-within: 240h' },
      { file: 'hubspot.yaml', from: /create: qualified/g, to: 'create: always' },
    ),
  )
  const steps = {
    pull: ['pull', '--mappings', mappings],
    score: ['score', '--as-of', asOf, '--mappings', mappings],
    sync: ['sync', '--crm', 'hubspot', '--mappings', mappings],
  }
  const open: { close(): Promise<void> }[] = []
  const vendors = async (hubspot: HubspotSandboxOptions = {}) => {
    const rows = { amplitude: usage.amplitudeRows, mixpanel: usage.mixpanelRows }
    const started = await startVendors({
      rows,
      hubspot,
      start: startOf(now),
      now: () => new Date(),
    })
    open.push(started)
    return started
  }
  const made = new Map<string, Promise<TestState>>()
  const make = async (stage: 'pulled' | 'scored'): Promise<TestState> => {
    const { environment } = await vendors()
    const state = await createHome(stage === 'scored' ? await prepared('pulled') : undefined)
    const args = stage === 'pulled' ? steps.pull : steps.score
    await ripenJson(args, { ...environment, ...state.environment })
    return state
  }
  const prepared = (stage: 'pulled' | 'scored'): Promise<TestState> => {
    const known = made.get(stage) ?? make(stage)
    made.set(stage, known)
    return known
  }
  return {
    usage,
    asOf,
    mappings,
    steps,
    vendors,
    async home(stage) {
      const state = await createHome(stage === 'empty' ? undefined : await prepared(stage))
      open.push(state)
      return state
    },
    async close() {
      await endCommands()
      for (const state of made.values()) open.unshift(await state)
      const failures: unknown[] = []
      for (const part of open.splice(0).reverse()) {
        await part.close().catch((error: unknown) => failures.push(error))
      }
      await removeFolders()
      if (failures.length > 0) throw failures[0]
    },
  }
}
