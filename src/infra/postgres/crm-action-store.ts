import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'

export type CrmActionKind = 'add' | 'remove' | 'event'

/** Something that a playbook does in a CRM besides its task. */
export interface PlannedAction {
  /** Names the start, the action and whom it is about. */
  readonly key: string
  readonly crm: string
  /** Our id of whom it is about. */
  readonly ref: string
  readonly kind: CrmActionKind
  /** Id of the list or campaign, or name of the event. */
  readonly target: string
  readonly memberStatus: string | null
  /** Of an event. */
  readonly properties: Readonly<Record<string, string>>
}

/** The same, with the record that it is about. */
export interface OpenAction extends PlannedAction {
  readonly createdAt: Date
  readonly object: 'contact' | 'company' | null
  /** Null while the CRM has no record of whom it is about. */
  readonly crmId: string | null
}

export async function planAction(tx: Tx, action: PlannedAction, now: Date): Promise<void> {
  const { key, crm, ref, kind, target, memberStatus, properties } = action
  await sql`insert into crm_action (key, crm, ref, kind, target, member_status, properties, created_at)
    values (${key}, ${crm}, ${ref}, ${kind}, ${target}, ${memberStatus},
      ${JSON.stringify(properties)}::jsonb, ${now})
    on conflict (key) do nothing`.execute(tx)
}

/** What is to be done in a CRM, in the order in which it was planned. */
export async function openActions(
  db: Db,
  crm: string,
  limit: number,
): Promise<readonly OpenAction[]> {
  const { rows } = await sql<OpenAction>`select a.key, a.crm, a.ref, a.kind, a.target,
      a.member_status as "memberStatus", a.properties, a.created_at as "createdAt",
      r.object, r.crm_id as "crmId"
    from crm_action a
    left join person_alias p on p.id = a.ref
    left join crm_record r on r.crm = a.crm and r.ref = coalesce(p.person_id, a.ref)
    where a.crm = ${crm} and a.state = 'planned' order by a.id limit ${limit}`.execute(db)
  return rows
}

export async function settleAction(
  db: Db,
  key: string,
  { state, reason = null }: { readonly state: 'done' | 'refused'; readonly reason?: string | null },
): Promise<void> {
  await sql`update crm_action set state = ${state}, reason = ${reason},
      -- What was told is in the CRM.
      properties = case when ${state} = 'done' then '{}' else properties end
    where key = ${key}`.execute(db)
}
