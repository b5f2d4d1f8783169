import { sql } from 'kysely'
import type { Db } from '../infra/postgres/database.ts'
import { readDealsOf, type StoredDeal } from '../infra/postgres/deal-store.ts'

/** A task of an account. Instants are ISO 8601 UTC. */
export interface ToldTask {
  readonly crm: string
  readonly state: string
  readonly subject: string
  /** The CRM's id; null for one that is not there yet. */
  readonly id: string | null
  readonly owner: string | null
  readonly qualifiedAt: string | null
  readonly completedAt: string | null
  /** Why we closed it. */
  readonly note: string | null
}

/** The first time that sales spoke to somebody after an entry into `qualified`. */
export interface ToldContact {
  readonly crm: string
  readonly qualifiedAt: string
  readonly at: string
  readonly kind: string
  readonly owner: string | null
}

/** What became of a person or account in the CRMs. */
export interface Outcomes {
  readonly deals: readonly StoredDeal[]
  /** Only of an account. */
  readonly tasks: readonly ToldTask[]
  readonly firstContacts: readonly ToldContact[]
}

/** What became of one person or account, the newest first. */
export async function readOutcomes(db: Db, id: string): Promise<Outcomes> {
  const deals = (await readDealsOf(db, null, [id])).get(id) ?? []
  const tasks = await sql<
    ToldTask & { readonly qualified: Date | null; readonly done: Date | null }
  >`
    select t.crm, t.state, t.task ->> 'subject' as subject, t.crm_task_id as id,
      coalesce(o.name, t.owner_id) as owner, t.qualified_at as qualified, t.completed_at as done,
      t.note
    from task_intent t left join crm_owner o on o.crm = t.crm and o.owner_id = t.owner_id
    where t.account_ref = ${id} order by t.created_at desc, t.key`.execute(db)
  const contacts = await sql<{
    crm: string
    qualified: Date
    spoken: Date
    kind: string
    owner: string | null
  }>`select f.crm, f.qualified_at as qualified, f.at as spoken, f.kind,
      coalesce(o.name, f.owner_id) as owner
    from first_contact f left join crm_owner o on o.crm = f.crm and o.owner_id = f.owner_id
    where f.ref = ${id} order by f.qualified_at desc, f.crm`.execute(db)
  return {
    deals,
    tasks: tasks.rows.map(({ qualified, done, ...task }) => ({
      ...task,
      qualifiedAt: qualified?.toISOString() ?? null,
      completedAt: done?.toISOString() ?? null,
    })),
    firstContacts: contacts.rows.map(({ qualified, spoken, ...contact }) => ({
      ...contact,
      qualifiedAt: qualified.toISOString(),
      at: spoken.toISOString(),
    })),
  }
}
