import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type ContenderResult, runContender } from '../child.ts'
import { type Least, leastChanged, leastFirst, leastRerun } from './least.ts'
import { isPoison, range, type Size } from './population.ts'
import type { OrgReport } from './report.ts'
import type { Books, Step, StepInput } from './sync.ts'

export interface RunOptions extends Size {
  readonly dataDir: string
  readonly databaseUrl?: string | undefined
  readonly signal: AbortSignal
}

/** One sync: how long it took, what came of it, and how many calls it needs at least. */
export interface Synced extends OrgReport, Books, ContenderResult {
  readonly least: Least
}

export interface SyncOutput {
  readonly first: Synced
  /** Its process was killed in the middle of a job, and another one went on. */
  readonly changed: Synced
  readonly rerun: Synced
}

const SCRIPT = new URL('sync.ts', import.meta.url)

/** Starts Salesforce's stand-in in a process of its own, and syncs with it from others. */
export async function runSync(options: RunOptions): Promise<SyncOutput> {
  const { signal, people, accounts, bulkFrom, ...ours } = options
  const size: Size = { people, accounts, bulkFrom }
  const vendor = fork(new URL('org.ts', import.meta.url), [JSON.stringify(size)], {
    stdio: ['ignore', 2, 'inherit', 'ipc'],
  })
  try {
    const [{ baseUrl }] = (await once(vendor, 'message', { signal })) as [{ baseUrl: string }]
    const encryptionKey = randomBytes(32).toString('base64')
    const inputOf = (step: Step): StepInput => ({ ...ours, ...size, baseUrl, encryptionKey, step })
    const run = (step: Step) => runContender<StepInput, Books>(SCRIPT, inputOf(step), signal)
    const sync = async (number: number) => {
      await post(baseUrl, 'begin', signal)
      if (number === 2) await dieInJob(inputOf('sync'), signal)
      const books = await run('sync')
      // The third sync says what the second has said.
      const report = await fetch(`${baseUrl}/bench/report/${Math.min(number, 2)}`, { signal })
      return { ...((await report.json()) as OrgReport), ...books }
    }
    await run('connect')
    const first = await sync(1)
    await run('change')
    const changed = await sync(2)
    const rerun = await sync(3)
    const fields = await fieldsWritten()
    const [before, all] = [first.converted, changed.converted]
    const told = (convertedBefore: number, convertedMeanwhile: number) => ({
      ...{ fields, convertedBefore, convertedMeanwhile },
    })
    return {
      first: { ...first, least: leastFirst(size, told(0, before)) },
      changed: { ...changed, least: leastChanged(size, told(before, all - before)) },
      rerun: { ...rerun, least: leastRerun() },
    }
  } finally {
    await kill(vendor)
  }
}

/** Names of the fields that the mapping writes. */
async function fieldsWritten() {
  const text = await readFile(new URL('../../mappings/salesforce.yaml', import.meta.url), 'utf8')
  const of = (prefix: string) =>
    [
      ...new Set([...text.matchAll(/\b(PQ[LA]_\w+__c)\b/g)].flatMap(([, name = '']) => name)),
    ].filter((name) => name.startsWith(prefix))
  return { people: of('PQL_'), accounts: of('PQA_') }
}

/** What a run must show besides its calls; empty when it did. */
export function faultsOf({ first, changed, rerun }: SyncOutput, size: Size): string[] {
  const faults: string[] = []
  const hold = (what: string, value: number, wanted: number) => {
    if (value !== wanted) faults.push(`${what}: ${value} instead of ${wanted}`)
  }
  const poison = range(size.people).filter(isPoison).length
  for (const [name, sync] of Object.entries({ first, changed, rerun })) {
    hold(`${name}: wrong people`, sync.wrongPeople, 0)
    hold(`${name}: wrong accounts`, sync.wrongAccounts, 0)
    hold(`${name}: contacts under another account`, sync.misplaced, 0)
    hold(`${name}: surplus records`, sync.surplus, 0)
    hold(`${name}: duplicates`, sync.duplicates, 0)
    hold(`${name}: leads with another owner`, sync.reowned, 0)
    hold(`${name}: parked records`, sync.states['parked'] ?? 0, poison)
    hold(`${name}: parked records with Salesforce's code`, sync.parkedWithCode, poison)
    const all = size.people + size.accounts
    hold(`${name}: records in sync`, sync.states['in-sync'] ?? 0, all - poison)
    hold(`${name}: jobs that are not over`, sync.openJobs, 0)
    hold(`${name}: refused questions for a token`, sync.calls.tokensRefused, 0)
  }
  hold('changed: jobs of the dead process that were waited for', changed.resumed, 1)
  hold('rerun: write calls', rerun.calls.writes, 0)
  return faults
}

/** How many times the calls that there must be were made, in all syncs together. */
export function timesLeast({ first, changed, rerun }: SyncOutput): number {
  const syncs = [first, changed, rerun]
  const sum = (numberOf: (sync: Synced) => number) =>
    syncs.reduce((all, sync) => all + numberOf(sync), 0)
  return sum(({ calls }) => calls.counted) / sum(({ least }) => least.calls)
}

/** A sync whose process ends, without a word, when Salesforce is in the middle of its job. */
async function dieInJob(input: StepInput, signal: AbortSignal): Promise<void> {
  const held = post(input.baseUrl, 'hold', signal)
  const child = fork(SCRIPT, [JSON.stringify(input)], { stdio: ['ignore', 2, 'inherit', 'ipc'] })
  const ended = once(child, 'exit').then(() => {
    throw new Error('a sync was over before its job was in the middle')
  })
  try {
    await Promise.race([held, ended])
  } finally {
    ended.catch(() => undefined)
    await kill(child)
  }
  await post(input.baseUrl, 'let-go', signal)
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function post(baseUrl: string, path: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${baseUrl}/bench/${path}`, { method: 'POST', signal })
  if (!response.ok) throw new Error(`${path} ended with ${response.status}`)
}
