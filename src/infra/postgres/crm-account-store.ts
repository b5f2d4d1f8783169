import { ConfigError } from '../../core/errors.ts'
import type { Db } from './database.ts'

/** The account of a CRM that our records lie in; null before one is known. */
export async function knownAccount(db: Db, crm: string): Promise<string | null> {
  const row = await db
    .selectFrom('crm_account')
    .select('account')
    .where('crm', '=', crm)
    .executeTakeFirst()
  return row?.account ?? null
}

/** What is wrong with this account: null when it is the one that our records lie in, or there are none yet. */
export async function accountProblem(
  db: Db,
  crm: string,
  account: string | null,
): Promise<string | null> {
  const known = await knownAccount(db, crm)
  if (account === null || known === null || known === account) return null
  const linked = await db
    .selectFrom('crm_record')
    .select('ref')
    .where('crm', '=', crm)
    .where('crm_id', 'is not', null)
    .limit(1)
    .executeTakeFirst()
  if (!linked) return null
  return `the records of this database lie in the ${crm} account ${known}, and this is ${account}; take a new database for it`
}

/**
 * Keeps which account is connected.
 * @throws {ConfigError} when our records lie in another one: their ids would be other people's there.
 */
export async function noteAccount(db: Db, crm: string, account: string | null): Promise<void> {
  if (account === null) return
  const problem = await accountProblem(db, crm, account)
  if (problem !== null) throw new ConfigError(problem)
  await db
    .insertInto('crm_account')
    .values({ crm, account })
    .onConflict((c) => c.column('crm').doUpdateSet({ account, seen_at: new Date() }))
    .execute()
}
