import { sql } from 'kysely'
import type { CrmOwner } from '../../core/ports/crm.ts'
import type { Db } from './database.ts'

/** Owners as they were read last, or null when that was before `notBefore`. */
export async function readStoredOwners(
  db: Db,
  crm: string,
  notBefore: Date,
): Promise<readonly CrmOwner[] | null> {
  const rows = await db.selectFrom('crm_owner').selectAll().where('crm', '=', crm).execute()
  if (!rows.some((row) => row.seen_at >= notBefore)) return null
  return rows.map((row) => ({
    id: row.owner_id,
    email: row.email,
    name: row.name,
    active: row.active,
    userId: row.user_id,
    timeZone: row.time_zone,
  }))
}

/** Stores all owners of a CRM. One who is told no more stays, as somebody who has left. */
export async function storeOwners(
  db: Db,
  crm: string,
  owners: readonly CrmOwner[],
  at: Date,
): Promise<void> {
  await sql`with told as (
      insert into crm_owner (owner_id, crm, email, name, active, user_id, time_zone, seen_at)
      select id, ${crm}, email, name, active, "userId", "timeZone", ${at}
      from jsonb_to_recordset(${JSON.stringify(owners)}::jsonb)
        as n(id text, email text, name text, active boolean, "userId" text,
          "timeZone" text)
      on conflict (owner_id, crm) do update set email = excluded.email, name = excluded.name,
        active = excluded.active, user_id = excluded.user_id,
        time_zone = excluded.time_zone, seen_at = excluded.seen_at
      returning owner_id)
    update crm_owner set active = false where crm = ${crm} and active
      and owner_id not in (select owner_id from told)`.execute(db)
}
