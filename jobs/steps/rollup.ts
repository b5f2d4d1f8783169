import { readEffective } from '../../src/infra/mappings/published.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { passTouched, readTouched, type Touched } from '../../src/infra/postgres/touched.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { type StepHandler, TOUCHED } from '../context.ts'
import { dirtyDays, mergeIfMany, rollDays } from './roll-days.ts'

/** Rebuilds the daily rollups of every touched day of one source, in the live generation. */
export const rollup: StepHandler = async (context, source, params) => {
  const wanted = params === TOUCHED ? requestTouched : requestWork
  // Before the live windows: whoever is marked by now is in them.
  const touched = await readTouched(context.db, 'rollup', `${source}/`)
  const { generation, set } = await readEffective(context.db)
  const dirty = await dirtyDays(context.db, source, generation)
  if (dirty.length === 0) {
    // A run that was asked for less may have rolled up what this one was asked for.
    await context.db.transaction().execute((tx) => handOn(tx, touched, wanted))
    return { days: 0 }
  }
  const rows = await rollDays(context, { source, generation, usage: set.usage }, dirty, (tx) =>
    handOn(tx, touched, wanted),
  )
  const merged = await mergeIfMany(context, source, generation)
  return { days: dirty.length, rows, merged }
}

async function handOn(
  tx: Tx,
  touched: Touched,
  wanted: typeof requestTouched | typeof requestWork,
): Promise<void> {
  await passTouched(tx, touched, 'identity')
  await wanted(tx, 'identity', 'all')
}
