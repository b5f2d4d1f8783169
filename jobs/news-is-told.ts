import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import type { Db } from '../src/infra/postgres/database.ts'

const MOST_MS = 1_500
const LOOK_EVERY_MS = 50

/**
 * Waits until nothing of who is qualified is on its way to a CRM any more, for a second and a half at most: storing the scores of many others
 * takes half of a small machine.
 */
export async function newsIsTold(db: Db, signal: AbortSignal): Promise<void> {
  for (const until = Date.now() + MOST_MS; Date.now() < until; ) {
    await sleep(LOOK_EVERY_MS, undefined, { signal })
    if (!(await isOnItsWay(db))) return
  }
}

/** Somebody has yet to look at what records should say, or a record or task waits to be written. */
async function isOnItsWay(db: Db): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`select exists (select from work
      where step = 'desire' and requested > done and failed < requested)
    or exists (select from freshness f join crm_record r using (ref, crm)
      where f.qualified and f.due_since is not null and r.state in ('pending', 'writing'))
    or exists (select from task_intent where state in ('planned', 'creating')
      and arrived_at is not null) as any`.execute(db)
  return rows[0]?.any ?? false
}
