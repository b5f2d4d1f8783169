import { readEffective } from '../../src/infra/mappings/published.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { StepHandler } from '../context.ts'
import { dirtyDays, mergeIfMany, rollDays } from './roll-days.ts'

/** Rebuilds the daily rollups of every touched day of one source, in the live generation. */
export const rollup: StepHandler = async (context, source) => {
  const { generation, set } = await readEffective(context.db)
  const dirty = await dirtyDays(context.db, source, generation)
  if (dirty.length === 0) return { days: 0 }
  const rows = await rollDays(context, { source, generation, usage: set.usage }, dirty, (tx) =>
    requestWork(tx, 'identity', 'all'),
  )
  const merged = await mergeIfMany(context, source, generation)
  return { days: dirty.length, rows, merged }
}
