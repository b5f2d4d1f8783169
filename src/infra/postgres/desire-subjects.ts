import { sql } from 'kysely'
import type { CrmObject } from '../../core/ports/crm.ts'
import type { SubjectFacts } from '../../core/sync/fields.ts'
import type { Db } from './database.ts'

/** Whom one object of a CRM is about. */
export interface Population {
  readonly crm: string
  readonly object: CrmObject
  /** Models of which one speaks. */
  readonly models: readonly string[]
}

/** Everybody whom one of the models scores or who has a record, in the order of ids after `after`. */
export async function populationAfter(
  db: Db,
  { crm, object, models }: Population,
  after: string,
  limit: number,
): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    (select distinct subject_id as id from score
      where subject_id > ${after} and model = any(${[...models]}::text[]) order by 1 limit ${limit})
    union
    (select ref from crm_record
      where ref > ${after} and crm = ${crm} and object = ${object} order by 1 limit ${limit})
    order by 1 limit ${limit}`.execute(db)
  return rows.map(({ id }) => id)
}

/** What is told of people and accounts beside their scores. */
export interface Facts {
  readonly subject: (id: string) => SubjectFacts | null
  readonly accountOf: (personId: string) => string | null
}

export async function readFacts(db: Db, ids: readonly string[]): Promise<Facts> {
  const among = sql<boolean>`id = any(${[...new Set(ids)]}::text[])`
  const people = await db
    .selectFrom('person')
    .select(['id', 'email', 'account_id'])
    .where(among)
    .execute()
  const accounts = await db
    .selectFrom('account')
    .select(['id', 'domain', 'name'])
    .where(among)
    .execute()
  const accountOf = new Map(people.map((person) => [person.id, person.account_id]))
  const all = new Map<string, SubjectFacts>()
  const none = { email: null, domain: null, name: null, champion: null, others: [] }
  for (const { id, email } of people) all.set(id, { ...none, id, email })
  for (const { id, domain, name } of accounts) all.set(id, { ...none, id, domain, name })
  return {
    subject: (id) => all.get(id) ?? null,
    accountOf: (personId) => accountOf.get(personId) ?? null,
  }
}
