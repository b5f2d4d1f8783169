import { z } from 'zod'
import { leftOfShare } from '../../../src/core/pace/day.ts'
import { type Session, sendSettled } from './session.ts'
import { parseJson } from './wire-errors.ts'

/** Salesforce cuts a job into batches of so many rows, and counts those. */
export const BATCH_ROWS = 10_000

const limitsShape = z.object({
  DailyBulkApiBatches: z.object({ Max: z.number(), Remaining: z.number() }),
})

/**
 * True when so many rows fit into the share that Ripen may have of the batches of 24 hours. What the org does
 * not tell does not stand in the way.
 */
export async function hasBulkRoom(
  session: Session,
  rows: number,
  signal: AbortSignal,
): Promise<boolean> {
  const call = { kind: 'read', method: 'GET', path: '/limits', endpoint: 'GET limits' } as const
  const result = await sendSettled(session, call, signal)
  const limits = result.ok ? limitsShape.safeParse(parseJson(result.answer.text)).data : undefined
  if (!limits) return true
  const { Max: calls, Remaining: left } = limits.DailyBulkApiBatches
  return leftOfShare({ calls, left }, session.bulkShare) >= Math.ceil(rows / BATCH_ROWS)
}
