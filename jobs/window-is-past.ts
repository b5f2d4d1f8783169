import { setTimeout as sleep } from 'node:timers/promises'
import { readWork, type WorkRow } from '../src/infra/postgres/work.ts'
import type { JobContext } from './context.ts'

const MOST_MS = 2_000
const LOOK_EVERY_MS = 50

/** What takes a window that was pulled to its scores; shards are for so many people that nobody could wait. */
function isOfWindow({ step, key }: WorkRow): boolean {
  return step === 'rollup' || step === 'identity' || (step === 'score' && key === 'all')
}

const isUnderWay = ({ requested, done, failed, whole }: WorkRow): boolean =>
  requested > done && failed < requested && whole > done

/**
 * Waits until no window is on its way to its scores, for two seconds at most. What streams in would wait for the same rows of work, and take
 * its turns with that one; it is taken together afterwards.
 */
export async function windowIsPast(
  { db }: Pick<JobContext, 'db'>,
  signal: AbortSignal,
): Promise<void> {
  for (const until = Date.now() + MOST_MS; Date.now() < until; ) {
    const rows = await readWork(db)
    if (!rows.some((row) => isOfWindow(row) && isUnderWay(row))) return
    await sleep(LOOK_EVERY_MS, undefined, { signal })
  }
}
