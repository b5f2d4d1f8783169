import { type RawBuilder, sql } from 'kysely'
import type { Tx } from './database.ts'
import { arrivedAt, markTouched } from './touched.ts'
import { requestTouched } from './work.ts'

/**
 * The select that says whom a trait or sales status is about: `about`, as it stands in the tables, and
 * `subject`, the person or account that this is now.
 * @param subjects only these; null for everybody.
 */
export function aboutSql(subjects: readonly string[] | null): RawBuilder<unknown> {
  const ids = sql`any(${[...(subjects ?? [])]}::text[])`
  const only = (column: string) => (subjects ? sql`${sql.ref(column)} = ${ids}` : sql`true`)
  return sql`select id as about, id as subject from person where ${only('id')}
    union all select id, id from account where ${only('id')}
    union all select id, person_id from person_alias where ${only('person_id')}
    union all select node, person_id from identity_node where ${only('person_id')}
    union all select 'domain:' || domain, id from account
      where domain is not null and ${only('id')}`
}

/**
 * Marks for scoring whomever these speak of: a person and her account, or an account and its people, who
 * read its traits too; and asks for scores.
 * @param abouts as in `aboutSql`.
 * @returns how many of them are somebody who is known.
 */
export async function touchAbout(tx: Tx, abouts: readonly string[]): Promise<number> {
  if (abouts.length === 0) return 0
  const { rows } = await sql<{ about: string; subject: string }>`
    with asked as (select distinct unnest(${[...abouts]}::text[]) as about)
    select q.about, coalesce(p.id, l.person_id, n.person_id, a.id, d.id) as subject from asked q
    left join person p on p.id = q.about
    left join person_alias l on l.id = q.about
    left join identity_node n on n.node = q.about
    left join account a on a.id = q.about
    left join account d on starts_with(q.about, 'domain:') and d.domain = substr(q.about, 8)
    where coalesce(p.id, l.person_id, n.person_id, a.id, d.id) is not null`.execute(tx)
  const ids = [...new Set(rows.map((row) => row.subject))]
  if (ids.length === 0) return 0
  const { rows: others } = await sql<{ id: string }>`
    select account_id as id from person
      where id = any(${ids}::text[]) and account_id is not null
    union select id from person where account_id = any(${ids}::text[])`.execute(tx)
  const subjects = [...new Set([...ids, ...others.map((row) => row.id)])]
  // What a CRM or a file says is no event in the product.
  await markTouched(tx, 'score', subjects, arrivedAt(null))
  await requestTouched(tx, 'score', 'all')
  return rows.length
}
