import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db } from './database.ts'

const DAY_MS = 86_400_000
/** What was not read for so long may be read at once. */
const BURST_MS = 3_600_000

/** How fast the records of one object are read to be compared. */
export interface ComparePace {
  readonly crm: string
  readonly object: CrmObject
  readonly recordsADay: number
}

/** How many records may be read now; takes nothing yet. */
export async function compareRoom(
  db: Db,
  { crm, object, recordsADay }: ComparePace,
  now: Date,
): Promise<number> {
  const row = await db
    .selectFrom('crm_compare')
    .select('spoken_until')
    .where('crm', '=', crm)
    .where('object', '=', object)
    .executeTakeFirst()
  const least = now.getTime() - BURST_MS
  const until = Math.max(row?.spoken_until.getTime() ?? least, least)
  return Math.max(0, Math.floor(((now.getTime() - until) * recordsADay) / DAY_MS))
}

/** Notes that so many are read now. */
export async function takeCompareRoom(
  db: Db,
  { crm, object, recordsADay }: ComparePace,
  records: number,
  now: Date,
): Promise<void> {
  const ms = (records * DAY_MS) / recordsADay
  const least = new Date(now.getTime() - BURST_MS)
  await sql`insert into crm_compare as c (crm, object, spoken_until)
    values (${crm}, ${object}, ${least}::timestamptz + ${ms} * interval '1 millisecond')
    on conflict (crm, object) do update set
      spoken_until = greatest(c.spoken_until, ${least}) + ${ms} * interval '1 millisecond'`.execute(
    db,
  )
}
