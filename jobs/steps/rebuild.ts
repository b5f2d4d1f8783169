import { readPublished } from '../../src/infra/mappings/published.ts'
import {
  completeGeneration,
  nextGeneration,
  readRebuild,
} from '../../src/infra/postgres/rollup-generations.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { JobContext, StepHandler } from '../context.ts'
import { dirtyDays, mergeIfMany, rollDays } from './roll-days.ts'

/** Days that are made together: what is done is kept when somebody kills us. */
const CHUNK_DAYS = 10

/**
 * Makes the rollups of one source anew beside the live ones, newest days first, and swaps them in once
 * those of all sources are complete. A tracking plan that changes meanwhile begins another generation,
 * and this one is given up.
 */
export const rebuild: StepHandler = async (context, source, _params, signal) => {
  let days = 0
  for (;;) {
    signal.throwIfAborted()
    const made = await makeChunk(context, source)
    if (made === 0) break
    days += made
  }
  return { days, live: (await complete(context)) ? 1 : 0 }
}

async function makeChunk(context: JobContext, source: string): Promise<number> {
  const { generation, set } = await readPublished(context.db)
  if ((await nextGeneration(context.db)) !== generation) return 0
  const chunk = (await dirtyDays(context.db, source, generation)).slice(-CHUNK_DAYS)
  if (chunk.length > 0) {
    await rollDays(context, { source, generation, usage: set.usage }, chunk)
    await mergeIfMany(context, source, generation)
  }
  const { [source]: progress } = await readRebuild(context.db)
  if (progress) context.onProgress({ step: 'rebuild', key: source, ...progress, unit: 'days' })
  return chunk.length
}

/** @returns whether the rollups of all sources are complete, and live from now on. */
async function complete({ db }: JobContext): Promise<boolean> {
  return db.transaction().execute(async (tx) => {
    const generation = await nextGeneration(tx)
    if (generation === null || !(await completeGeneration(tx, generation))) return false
    await requestWork(tx, 'score', 'all')
    return true
  })
}
