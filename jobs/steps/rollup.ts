import { readEffective } from '../../src/infra/mappings/published.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { passTouched, readTouched, type Touched } from '../../src/infra/postgres/touched.ts'
import { requestTouched, requestWork } from '../../src/infra/postgres/work.ts'
import { type StepHandler, TOUCHED } from '../context.ts'
import { foldManyParts, rollAdded } from './roll-added.ts'
import { dirtyDays, mergeIfMany, rollDays } from './roll-days.ts'

/**
 * Rebuilds the daily rollups of every touched day of one source, in the live generation; what streamed in
 * is added to those of its days.
 */
export const rollup: StepHandler = async (context, source, params) => {
  const wanted = params === TOUCHED ? requestTouched : requestWork
  // Before the live windows: whoever is marked by now is in them.
  const touched = await readTouched(context.db, 'rollup', `${source}/`)
  const { generation, set } = await readEffective(context.db)
  const target = { source, generation, usage: set.usage }
  const pass = (tx: Tx) => handOn(tx, touched, wanted)
  const added = await rollAdded(context, target, pass)
  const dirty = added.dirty ? await dirtyDays(context.db, source, generation) : []
  const rebuilt = dirty.length > 0 ? await rollDays(context, target, dirty, pass) : 0
  // A run that was asked for less may have rolled up what this one was asked for.
  if (!added.passed && dirty.length === 0) await context.db.transaction().execute(pass)
  const folded = await foldManyParts(context, source, generation)
  const merged = await mergeIfMany(context, source, generation)
  return { days: dirty.length, rows: rebuilt, added: added.rows, merged: folded + merged }
}

async function handOn(
  tx: Tx,
  touched: Touched,
  wanted: typeof requestTouched | typeof requestWork,
): Promise<void> {
  await passTouched(tx, touched, 'identity')
  await wanted(tx, 'identity', 'all')
}
