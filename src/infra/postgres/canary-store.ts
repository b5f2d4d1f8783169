import { sql } from 'kysely'
import { CANARY_NODE } from '../../core/canary/canary.ts'
import type { Db, Tx } from './database.ts'

/** Where the canary is at one CRM. */
export interface CanaryAt {
  readonly crm: string
  readonly crmId: string
  /** What is to stand there. */
  readonly token: string
}

/** @returns false when it was let go for this CRM within `everyMs`. */
export async function beginBeat(
  tx: Tx,
  crm: string,
  token: string,
  everyMs: number,
): Promise<boolean> {
  const result = await sql`insert into canary_beat as b (crm, let_go_at, token)
    values (${crm}, clock_timestamp(), ${token})
    on conflict (crm) do update set let_go_at = excluded.let_go_at, token = excluded.token, seen_at = null
      where b.let_go_at < clock_timestamp() - ${everyMs} * interval '1 millisecond'`.execute(tx)
  return Number(result.numAffectedRows ?? 0) > 0
}

/** What its record should say, and who it is; null before it was ever let go, or is known. */
export async function readBeat(
  db: Db | Tx,
  crm: string,
): Promise<{ readonly personId: string; readonly token: string } | null> {
  const { rows } = await sql<{ personId: string; token: string }>`
    select n.person_id as "personId", b.token from canary_beat b
    join identity_node n on n.node = ${CANARY_NODE} where b.crm = ${crm}`.execute(db)
  return rows[0] ?? null
}

/** Who the canary is; null where none was ever let go. No playbook starts for it. */
export async function canaryId(db: Db | Tx): Promise<string | null> {
  const row = await db
    .selectFrom('identity_node')
    .select('person_id')
    .where('node', '=', CANARY_NODE)
    .executeTakeFirst()
  return row?.person_id ?? null
}

/** Where it should be by now: the records that were written. */
export async function unseenBeats(db: Db): Promise<readonly CanaryAt[]> {
  const { rows } = await sql<CanaryAt>`select b.crm, r.crm_id as "crmId", b.token from canary_beat b
    join identity_node n on n.node = ${CANARY_NODE}
    join crm_record r on r.ref = n.person_id and r.crm = b.crm
    where b.seen_at is null and r.state = 'in-sync' and r.crm_id is not null`.execute(db)
  return rows
}

export async function noteSeen(db: Db, { crm, token }: CanaryAt): Promise<void> {
  await sql`update canary_beat set seen_at = clock_timestamp()
    where crm = ${crm} and token = ${token} and seen_at is null`.execute(db)
}

/** The condition that a column names somebody else than the canary. */
export const notCanary = (column: string) =>
  sql<boolean>`not exists (select from identity_node n where n.node = ${CANARY_NODE}
    and n.person_id = ${sql.ref(column)})`
