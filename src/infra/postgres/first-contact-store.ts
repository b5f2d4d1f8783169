import { sql } from 'kysely'
import type { CrmEngagementKind } from '../../core/ports/crm.ts'
import type { Db, Tx } from './database.ts'

/** The first time that sales spoke to somebody after an entry into `qualified`. */
export interface FirstContact {
  readonly ref: string
  readonly qualifiedAt: Date
  /** ISO 8601 UTC. */
  readonly at: string
  readonly kind: CrmEngagementKind
  readonly ownerId: string | null
  readonly engagementId: string
}

/**
 * Stores first contacts; one that is known already gives way only to an earlier one, such as a call that
 * was logged late.
 * @returns how many are new or earlier.
 */
export async function storeFirstContacts(
  tx: Tx,
  crm: string,
  contacts: readonly FirstContact[],
  at: Date,
): Promise<number> {
  const result = await sql`insert into first_contact as f
      (ref, crm, qualified_at, at, kind, owner_id, engagement_id, seen_at)
    select ref, ${crm}, "qualifiedAt", at, kind, "ownerId", "engagementId", ${at}
    from jsonb_to_recordset(${JSON.stringify(contacts)}::jsonb) as n(ref text,
      "qualifiedAt" timestamptz, at timestamptz, kind text, "ownerId" text, "engagementId" text)
    on conflict (ref, crm, qualified_at) do update set at = excluded.at, kind = excluded.kind,
      owner_id = excluded.owner_id, engagement_id = excluded.engagement_id,
      seen_at = excluded.seen_at
      where excluded.at < f.at`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}

/** CRM ids of the contacts of the people of accounts: who speaks to one of them speaks to the account. */
export async function contactsOfAccounts(
  db: Db,
  crm: string,
  accounts: readonly string[],
): Promise<readonly { readonly account: string; readonly crmId: string }[]> {
  const { rows } = await sql<{ account: string; crmId: string }>`
    select p.account_id as account, r.crm_id as "crmId" from person p
    join crm_record r on r.ref = p.id and r.crm = ${crm} and r.object = 'contact'
    where p.account_id = any(${[...accounts]}::text[]) and r.crm_id is not null
    order by 1, 2`.execute(db)
  return rows
}
