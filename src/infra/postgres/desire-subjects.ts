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

/** @param aliases other domains of companies, with the domain of each. */
export async function readFacts(
  db: Db,
  ids: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): Promise<Facts> {
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
  const addresses = await addressesOf(db, ids)
  for (const { id, email } of people) {
    all.set(id, { ...none, id, email, alsoKnownBy: addresses.get(id) ?? [] })
  }
  const domains = domainsByCompany(aliases)
  for (const { id, domain, name } of accounts) {
    all.set(id, { ...none, id, domain, name, alsoKnownBy: domains.get(domain ?? '') ?? [] })
  }
  return {
    subject: (id) => all.get(id) ?? null,
    accountOf: (personId) => accountOf.get(personId) ?? null,
  }
}

/** All addresses of people, in the order of the alphabet. */
async function addressesOf(
  db: Db,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const { rows } = await sql<{ id: string; emails: string[] }>`
    select person_id as id, array_agg(substr(node, 7) order by node) as emails from identity_node
    where person_id = any(${[...new Set(ids)]}::text[]) and node like 'email/%'
    group by person_id`.execute(db)
  return new Map(rows.map(({ id, emails }) => [id, emails]))
}

function domainsByCompany(
  aliases: Readonly<Record<string, string>>,
): ReadonlyMap<string, readonly string[]> {
  const domains = new Map<string, string[]>()
  for (const alias of Object.keys(aliases).sort()) {
    const domain = aliases[alias] ?? ''
    domains.set(domain, [...(domains.get(domain) ?? []), alias])
  }
  return domains
}
