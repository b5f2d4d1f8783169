import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Ran, startRipen } from './cli.ts'
import type { TestState } from './state.ts'
import type { Vendors } from './vendors.ts'

/** A moment in the life of a command. */
export type Moment =
  | { readonly kind: 'after'; readonly ms: number }
  /** The n-th request that fits has arrived at a vendor, or was answered. */
  | {
      readonly kind: 'arrived' | 'answered'
      readonly method?: string
      readonly path: RegExp
      readonly nth?: number
    }
  /** A file of the lake has such a name. */
  | { readonly kind: 'file'; readonly name: RegExp }

const GIVE_UP_MS = 20_000

/**
 * Starts a command and kills it with SIGKILL at a moment; a command that ends before has ended.
 * @returns how it ended.
 */
export async function killAt(
  moment: Moment,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  { vendors, home }: { vendors: Vendors; home: TestState },
): Promise<Ran> {
  const come = new AbortController()
  const listening = listen(moment, vendors, come)
  const command = startRipen(args, environment)
  const kill = () => command.kill('SIGKILL')
  come.signal.addEventListener('abort', kill, { once: true })
  const over = new AbortController()
  const watching = watch(moment, home, come, over.signal)
  const ran = await command.ended
  over.abort()
  await watching
  listening()
  return ran
}

function listen(moment: Moment, vendors: Vendors, come: AbortController): () => void {
  if (moment.kind !== 'arrived' && moment.kind !== 'answered') return () => undefined
  let left = moment.nth ?? 1
  vendors.onRequest(({ phase, method, path }) => {
    if (phase !== moment.kind || !moment.path.test(path)) return
    if (moment.method !== undefined && moment.method !== method) return
    left -= 1
    if (left === 0) come.abort()
  })
  return () => vendors.onRequest(null)
}

async function watch(
  moment: Moment,
  home: TestState,
  come: AbortController,
  over: AbortSignal,
): Promise<void> {
  if (moment.kind === 'after') {
    await sleep(moment.ms, undefined, { signal: over }).then(
      () => come.abort(),
      () => undefined,
    )
  }
  if (moment.kind !== 'file') return
  const lake = join(home.dataDir, 'lake')
  const deadline = Date.now() + GIVE_UP_MS
  while (!over.aborted && Date.now() < deadline) {
    const names = await readdir(lake).catch(() => [])
    if (names.some((name) => moment.name.test(name))) return come.abort()
    await sleep(1)
  }
}
