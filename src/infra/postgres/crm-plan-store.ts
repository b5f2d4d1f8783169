import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { Db } from './database.ts'

/** How an account was found when it was held against the mapping last. */
export interface PlanState {
  /** Names what the mapping needs and the account has; null when the two must be compared again. */
  readonly plans: string | null
  /** Objects whose records were refused by rules of the account, with a name for those rules. */
  readonly watched: ReadonlyMap<string, string>
}

const DRIFT = 'drift'

/** Null before the account was prepared for the first time. */
export async function readPlanState(db: Db, crm: string): Promise<PlanState | null> {
  const row = await db
    .selectFrom('crm_provisioned')
    .select('plan_hash')
    .where('crm', '=', crm)
    .executeTakeFirst()
  if (!row) return null
  const [plans = '', ...marks] = row.plan_hash.split(' ')
  const watched = new Map(marks.map((mark): [string, string] => pairOf(mark)))
  return { plans: plans === DRIFT ? null : plans, watched }
}

export async function storePlanState(
  db: Db,
  crm: string,
  { plans, watched }: PlanState,
): Promise<void> {
  const marks = [...watched].map(([object, rules]) => `${object}=${rules}`)
  const plan_hash = [plans ?? DRIFT, ...marks].join(' ')
  await db
    .insertInto('crm_provisioned')
    .values({ crm, plan_hash })
    .onConflict((c) => c.column('crm').doUpdateSet({ plan_hash }))
    .execute()
}

function pairOf(mark: string): [string, string] {
  const [object = '', rules = ''] = mark.split('=')
  return [object, rules]
}

/**
 * Gives those another try that the CRM has refused: what it refused them for may be mended. What was never
 * sent, and what is another's record, stays parked.
 * @param object only of this one; null for all.
 */
export async function retryRefused(db: Db, crm: string, object: CrmObject | null): Promise<void> {
  const own = object === null ? sql`true` : sql`object = ${object}`
  await sql`update crm_record set state = 'pending', changed_at = now()
    where crm = ${crm} and ${own} and state = 'parked'
      and code is not null and code not in ('NO_VALUE', 'NO_ANSWER')`.execute(db)
}
