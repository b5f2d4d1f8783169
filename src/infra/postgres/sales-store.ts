import type { SalesState } from '../../core/scoring/features.ts'
import type { Db, Tx } from './database.ts'

/** What sales says about people and accounts; who is not in it has not been spoken of. */
export async function readSalesStates(
  _db: Db | Tx,
  _subjectIds: readonly string[] | null,
  _model: string | null = null,
): Promise<ReadonlyMap<string, SalesState>> {
  return new Map()
}
