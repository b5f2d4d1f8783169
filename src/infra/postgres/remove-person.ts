import { sql } from 'kysely'
import type { Forgotten } from '../lake/drop-forgotten.ts'
import { seal } from '../seal.ts'
import type { Db, Tx } from './database.ts'
import type { InCrm } from './forget-store.ts'
import { type Named, names } from './named-people.ts'
import { removeDeals } from './remove-deals.ts'
import { lockTraits } from './trait-load-store.ts'

/** The people behind forgotten nodes, as far as the database knows them. */
export async function findForgotten(db: Db | Tx, forgotten: Forgotten): Promise<Named> {
  const rows = await db.selectFrom('identity_node').selectAll().execute()
  const hashes = new Set(forgotten.hashes)
  const people = new Set(
    rows.filter(({ node }) => hashes.has(seal(forgotten.key, node))).map((row) => row.person_id),
  )
  const nodes = rows.filter((row) => people.has(row.person_id)).map((row) => row.node)
  const aliases = await db
    .selectFrom('person_alias')
    .select('id')
    .where(sql<boolean>`person_id = any(${[...people]}::text[])`)
    .execute()
  const emails = nodes.filter((node) => node.startsWith('email/')).map((node) => node.slice(6))
  return { ids: [...people, ...aliases.map((row) => row.id)], nodes, emails }
}

/**
 * Removes people from every table; other steps must not run meanwhile, or they might store them again.
 * Whoever adds a table that names people or their ids adds it here.
 * @returns rows by table, and what the CRMs still hold.
 */
export async function removePeople(
  tx: Tx,
  named: Named,
): Promise<{ readonly rows: Record<string, number>; readonly inCrm: InCrm }> {
  const { ids } = named
  const rows: Record<string, number> = {}
  if (ids.length === 0) return { rows, inCrm: [] }
  const records = await tx
    .deleteFrom('crm_record')
    .where('ref', 'in', [...ids])
    .returning(['crm', 'object', 'crm_id'])
    .execute()
  rows['crm_record'] = records.length
  rows['crm_delivery'] = await removeDeliveries(tx, named, records)
  const tasks = await removeTasks(tx, named)
  rows['task_intent'] = tasks.removed
  const deals = await removeDeals(tx, named)
  Object.assign(rows, deals.rows)
  const companies = await clearMentions(tx, named)
  for (const [table, column] of TABLES) {
    const result = await sql`delete from ${sql.table(table)}
      where ${sql.ref(column)} = any(${[...ids]}::text[])`.execute(tx)
    rows[table] = (rows[table] ?? 0) + Number(result.numAffectedRows ?? 0)
  }
  for (const [table, n] of await removeNodes(tx, named)) rows[table] = (rows[table] ?? 0) + n
  const erase = records.flatMap(({ crm, object, crm_id: id }) =>
    id === null ? [] : [{ crm, object, id, todo: 'erase' as const }],
  )
  return { rows, inCrm: [...erase, ...companies, ...tasks.inCrm, ...deals.inCrm] }
}

/**
 * Removes what files say of forgotten people, whether the rest of the database knows them or not.
 * @returns how many rows.
 */
export async function removeTraits(tx: Tx, forgotten: Forgotten): Promise<number> {
  await lockTraits(tx)
  const rows = await tx
    .selectFrom('trait')
    .select('about')
    .distinct()
    .where(sql<boolean>`strpos(about, '/') > 0`)
    .execute()
  const hashes = new Set(forgotten.hashes)
  const theirs = rows.flatMap(({ about }) => (hashes.has(seal(forgotten.key, about)) ? about : []))
  const result = await sql`delete from trait where about = any(${theirs}::text[])`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}

/** Tables that hold rows of one person, and the column that names her. */
const TABLES = [
  ['run_record', 'ref'],
  ['score', 'subject_id'],
  ['score_change', 'subject_id'],
  ['crm_contact_company', 'ref'],
  ['crm_read', 'ref'],
  ['crm_former', 'ref'],
  ['crm_look', 'ref'],
  ['first_contact', 'ref'],
  ['trait', 'about'],
  ['sales_state', 'about'],
  ['playbook_start', 'subject_id'],
  ['playbook_standing', 'subject_id'],
  ['sales_word', 'about'],
  ['touched', 'subject'],
  ['person_alias', 'person_id'],
  ['person_alias', 'id'],
  ['identity_node', 'person_id'],
  ['person', 'id'],
] as const

/** Webhooks of a CRM that name her address or one of her records, whatever else they tell. */
async function removeDeliveries(
  tx: Tx,
  { ids, emails }: Named,
  records: readonly { readonly crm_id: string | null }[],
): Promise<number> {
  const former = await tx
    .selectFrom('crm_former')
    .select('crm_id')
    .where(sql<boolean>`ref = any(${[...ids]}::text[])`)
    .execute()
  const crmIds = [...records, ...former].flatMap((row) => row.crm_id ?? [])
  const result = await sql`delete from crm_delivery where exists (
      select from unnest(${[...emails]}::text[]) n where strpos(lower(body), n) > 0)
    or exists (select from unnest(${crmIds}::text[]) n
      where strpos(body, n) > 0 and body ~ ('\\m' || n || '\\M'))`.execute(tx)
  return Number(result.numAffectedRows ?? 0)
}

/** What names ids of vendors, and what came by webhook and is not in the lake yet. */
async function removeNodes(tx: Tx, { nodes, emails }: Named): Promise<[string, number][]> {
  const ids = sql`${[...nodes]}::text[]`
  const refusals = await sql`delete from identity_refusal
    where a = any(${ids}) or b = any(${ids})`.execute(tx)
  const touched = await sql`delete from touched where subject = any(${ids})`.execute(tx)
  const quoted = [...emails, ...nodes.map((node) => node.replace(/^[^/]+\/[a-z]:/, ''))].map(
    (name) => JSON.stringify(name.toLowerCase()),
  )
  const staged = await sql`delete from staged_event where exists (
    select from unnest(${quoted}::text[]) n where strpos(lower(body), n) > 0)`.execute(tx)
  const count = (result: { numAffectedRows?: bigint | undefined }) =>
    Number(result.numAffectedRows ?? 0)
  return [
    ['identity_refusal', count(refusals)],
    ['touched', count(touched)],
    ['staged_event', count(staged)],
  ]
}

/**
 * What is planned and names her is planned anew without her. What was begun keeps its key and marker,
 * so that nobody gets a second task, and loses her.
 */
async function removeTasks(
  tx: Tx,
  named: Named,
): Promise<{ readonly removed: number; readonly inCrm: InCrm }> {
  const planned = await tx
    .deleteFrom('task_intent')
    .where('state', '=', 'planned')
    .where(names(named, 'task::text'))
    .returning('key')
    .execute()
  // What was not begun may start again.
  const keys = planned.map((task) => task.key)
  await sql`delete from playbook_start where key = any(${keys}::text[])`.execute(tx)
  // What is delivered has no body any more.
  await sql`delete from playbook_message where ${names(named, "body || ' ' || key")}`.execute(tx)
  await sql`delete from task_amendment
    where ${names(named, "note || ' ' || person_refs::text")}`.execute(tx)
  await sql`delete from crm_action
    where ref = any(${[...named.ids]}::text[]) or ${names(named, "properties::text || ' ' || key")}`.execute(
    tx,
  )
  await sql`update task_intent set told = told || '{"championId": null}'
    where told ->> 'championId' = any(${[...named.ids]}::text[])`.execute(tx)
  await sql`update task_intent set person_ref = null
    where person_ref = any(${[...named.ids]}::text[])`.execute(tx)
  const begun = await tx
    .selectFrom('task_intent')
    .select(['key', 'crm', 'task', 'crm_task_id'])
    .where(names(named, 'task::text'))
    .execute()
  for (const { key, task } of begun) {
    await tx
      .updateTable('task_intent')
      .set({ task: JSON.stringify(withoutPeople(task as Record<string, unknown>, named)) })
      .where('key', '=', key)
      .execute()
  }
  const inCrm = begun.flatMap(({ crm, crm_task_id: id }) =>
    id === null ? [] : [{ crm, object: 'task' as const, id, todo: 'mentions' as const }],
  )
  return { removed: planned.length, inCrm }
}

/** A task that says the same about nobody in particular. */
function withoutPeople(
  task: Readonly<Record<string, unknown>>,
  { ids, emails }: Named,
): Record<string, unknown> {
  const told = Object.entries(task).map(([name, value]) => {
    if (Array.isArray(value)) return [name, value.filter((one) => !ids.includes(one))]
    if (typeof value !== 'string') return [name, value]
    const names = [...emails, ...ids]
    return [name, names.reduce((text, one) => replaceAll(text, one, 'somebody'), value)]
  })
  return Object.fromEntries(told)
}

/** Without looking at capitals. */
function replaceAll(text: string, what: string, by: string): string {
  let [result, rest] = ['', text]
  for (;;) {
    const at = rest.toLowerCase().indexOf(what)
    if (at < 0) return result + rest
    result += rest.slice(0, at) + by
    rest = rest.slice(at + what.length)
  }
}

/** Other people's records and scores that name her, such as the champion of her company. */
async function clearMentions(tx: Tx, named: Named): Promise<InCrm> {
  const ids = [...named.ids]
  await sql`update score set facts = facts || jsonb_build_object(
      'championId', case when facts ->> 'championId' = any(${ids}::text[]) then null else facts -> 'championId' end,
      'otherIds', (select coalesce(jsonb_agg(o), '[]') from jsonb_array_elements(facts -> 'otherIds') o
        where not (o #>> '{}') = any(${ids}::text[])))
    where facts ->> 'championId' = any(${ids}::text[]) or facts -> 'otherIds' ?| ${ids}::text[]`.execute(
    tx,
  )
  // What was written becomes something that nobody wants, so that the next run writes over it.
  const cleared = (column: string, by: string) =>
    sql`(select jsonb_object_agg(key, case when ${names(named, 'value::text')} then ${by}::jsonb else value end)
      from jsonb_each(${sql.ref(column)}))`
  const { rows } = await sql<{ crm: string; object: 'contact' | 'company'; id: string | null }>`
    update crm_record set
      desired = coalesce(${cleared('desired', 'null')}, '{}'),
      desired_on_create = coalesce(${cleared('desired_on_create', 'null')}, '{}'),
      written = ${cleared('written', '""')},
      state = case when state = 'writing' then 'writing' else 'pending' end
    where ${names(named, "desired::text || desired_on_create::text || coalesce(written::text, '')")}
    returning crm, object, crm_id as id`.execute(tx)
  return rows.flatMap(({ crm, object, id }) =>
    id === null ? [] : [{ crm, object, id, todo: 'mentions' as const }],
  )
}
