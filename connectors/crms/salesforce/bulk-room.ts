import { z } from 'zod'
import { leftOfShare } from '../../../src/core/pace/day.ts'
import { type Session, sendSettled } from './session.ts'
import { parseJson } from './wire-errors.ts'

/** Salesforce cuts a job into batches of so many rows, and counts those. */
export const BATCH_ROWS = 10_000

const limitsShape = z.object({
  DailyBulkApiBatches: z.object({ Max: z.number(), Remaining: z.number() }),
})

/** What was told is believed for so long, while there is far more room than is needed. */
const KEPT_MS = 10 * 60_000
const PLENTY = 100

/**
 * True when so many rows fit into the share that Ripen may have of the batches of 24 hours. What the org does
 * not tell does not stand in the way.
 */
export async function hasBulkRoom(
  session: Session,
  rows: number,
  signal: AbortSignal,
): Promise<boolean> {
  const { memory, bulkShare } = session
  const needed = Math.ceil(rows / BATCH_ROWS)
  const now = session.now().getTime()
  const { bulkBatches: last } = memory
  const isPlenty = last !== null && leftOfShare(last, bulkShare) >= needed * PLENTY
  const room = isPlenty && now - last.at < KEPT_MS ? last : await readRoom(session, now, signal)
  memory.bulkBatches = room && { ...room, left: room.left - needed }
  return room === null || leftOfShare(room, bulkShare) >= needed
}

async function readRoom(session: Session, at: number, signal: AbortSignal) {
  const call = { kind: 'read', method: 'GET', path: '/limits', endpoint: 'GET limits' } as const
  const result = await sendSettled(session, call, signal)
  const limits = result.ok ? limitsShape.safeParse(parseJson(result.answer.text)).data : undefined
  if (!limits) return null
  const { Max: calls, Remaining: left } = limits.DailyBulkApiBatches
  return { at, calls, left }
}
