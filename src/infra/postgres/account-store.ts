import { sql } from 'kysely'
import type { Account } from '../../core/identity/accounts.ts'
import type { Tx } from './database.ts'

/** An account whose domain went to another one, which is the same company for a CRM. */
export interface Succession {
  readonly id: string
  readonly heir: string
}

/**
 * Makes the table of accounts hold these. An account that is not among them stays, and keeps its
 * domain until another one has it.
 * @param ids account id by account key.
 */
export async function storeAccounts(
  tx: Tx,
  accounts: readonly Account[],
  ids: ReadonlyMap<string, string>,
): Promise<readonly Succession[]> {
  const rows = accounts.map((account) => ({ ...account, id: ids.get(account.key) }))
  const json = JSON.stringify(rows)
  const table = sql`jsonb_to_recordset(${json}::jsonb) as n(id text, key text, domain text, name text)`
  // First free every domain that changes hands, or the new holder would clash with the old one.
  const { rows: moved } = await sql<Succession>`
    update account a set domain = null from (
        select o.id, n.id as heir from account o join ${table} on n.domain = o.domain and n.id <> o.id
      ) h where a.id = h.id
    returning a.id, h.heir`.execute(tx)
  await sql`insert into account (id, key, domain, name)
    select id, key, domain, name from ${table}
    on conflict (id) do update set domain = excluded.domain
      where account.domain is distinct from excluded.domain`.execute(tx)
  return moved
}
