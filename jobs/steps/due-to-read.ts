import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import {
  type ComparePace,
  compareRoom,
  takeCompareRoom,
} from '../../src/infra/postgres/compare-pace.ts'
import { type DueRead, dueReads, staleReads } from '../../src/infra/postgres/crm-read-store.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import type { Asked } from './read-fields.ts'

/** Records that one call of a CRM reads, when a day's calls are counted. */
const RECORDS_A_CALL = 100

/** What is asked of one object of a CRM, and how often. */
export interface DueQuestion {
  readonly crm: string
  readonly asked: Asked
  readonly mapping: CrmMapping
  readonly now: Date
  /** Most records. */
  readonly limit: number
}

/**
 * The records of one object that are due to be read: all that nobody has asked since `read-every` where something is
 * read of them, else, at the pace of `compare-calls`, those that were not compared since `compare-every`.
 */
export async function dueToRead(db: Db, question: DueQuestion): Promise<readonly DueRead[]> {
  const { crm, asked, mapping, now, limit } = question
  const due = { crm, object: asked.object, asked: asked.name, limit }
  if (asked.properties.length > 0) {
    return dueReads(db, { ...due, before: new Date(now.getTime() - mapping['read-every']) })
  }
  const told = await staleReads(db, due)
  const room = Math.min(limit - told.length, await compareRoom(db, paceOf(question), now))
  if (room <= 0) return told
  const before = comparedBefore(mapping, now)
  const rest = await dueReads(db, { ...due, before, limit: room + told.length })
  return [...told, ...rest.filter(({ stale }) => stale === 0).slice(0, room)]
}

/** Notes that these are read now, against the calls of the day. */
export async function noteCompared(
  db: Db,
  question: DueQuestion,
  due: readonly DueRead[],
): Promise<void> {
  const compared = due.filter(({ stale }) => stale === 0).length
  if (question.asked.properties.length > 0 || compared === 0) return
  await takeCompareRoom(db, paceOf(question), compared, question.now)
}

function paceOf({ crm, asked, mapping }: DueQuestion): ComparePace {
  const recordsADay = mapping['compare-calls'] * RECORDS_A_CALL
  return { crm, object: asked.object, recordsADay }
}

/** Whoever is never compared is read once, so that what is told of it later can be noted. */
function comparedBefore(mapping: CrmMapping, now: Date): Date {
  const every = mapping['compare-every']
  return every === 'never' ? new Date(0) : new Date(now.getTime() - every)
}
