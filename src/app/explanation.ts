import { normaliseEmail } from '../core/identity/email.ts'
import type { Contribution } from '../core/scoring/points.ts'
import type { ScoreFacts } from '../core/scoring/score-subject.ts'
import type { Db } from '../infra/postgres/database.ts'

/** Why one person or account has the score that it has. */
export interface Explanation {
  readonly subject: 'person' | 'account'
  readonly id: string
  readonly name: string
  readonly account: string | null
  /** Vendor ids and addresses that are this person; people of this account. */
  readonly identities: readonly string[]
  readonly traits: Readonly<Record<string, unknown>>
  readonly scores: readonly {
    readonly model: string
    readonly version: number
    readonly score: number
    readonly grade: string
    readonly usageStatus: string
    readonly salesStatus: string
    readonly statusSince: string
    readonly change: number
    readonly trend: string
    readonly summary: string
    readonly asOf: string
    readonly contributions: readonly Contribution[]
  }[]
}

/** Explains whoever has this e-mail address, domain or id; null when nobody has. */
export async function explain(db: Db, who: string): Promise<Explanation | null> {
  const person = await findPerson(db, who)
  if (person) return explainPerson(db, person)
  const account = await db
    .selectFrom('account')
    .selectAll()
    .where((e) => e.or([e('id', '=', who), e('domain', '=', who.trim().toLowerCase())]))
    .executeTakeFirst()
  return account ? explainAccount(db, account) : null
}

type PersonRow = { id: string; email: string | null; account_id: string | null; traits: unknown }

async function findPerson(db: Db, who: string): Promise<PersonRow | null> {
  const email = normaliseEmail(who)
  const node = email ? `email/${email}` : who
  const alias = await db
    .selectFrom('person_alias')
    .select('person_id')
    .where('id', '=', who)
    .executeTakeFirst()
  const known = await db
    .selectFrom('identity_node')
    .select('person_id')
    .where('node', '=', node)
    .executeTakeFirst()
  const row = await db
    .selectFrom('person')
    .select(['id', 'email', 'account_id', 'traits'])
    .where('id', '=', alias?.person_id ?? known?.person_id ?? who)
    .executeTakeFirst()
  return row ?? null
}

async function explainPerson(db: Db, person: PersonRow): Promise<Explanation> {
  const nodes = await db
    .selectFrom('identity_node')
    .select('node')
    .where('person_id', '=', person.id)
    .orderBy('node')
    .execute()
  const account = await db
    .selectFrom('account')
    .select('domain')
    .where('id', '=', person.account_id ?? '')
    .executeTakeFirst()
  return {
    subject: 'person',
    id: person.id,
    name: person.email ?? person.id,
    account: account?.domain ?? null,
    identities: nodes.map((row) => row.node),
    traits: person.traits as Record<string, unknown>,
    scores: await scoresOf(db, person.id),
  }
}

async function explainAccount(
  db: Db,
  account: { id: string; domain: string },
): Promise<Explanation> {
  const people = await db
    .selectFrom('person')
    .select(['id', 'email'])
    .where('account_id', '=', account.id)
    .orderBy('email')
    .execute()
  return {
    subject: 'account',
    id: account.id,
    name: account.domain,
    account: null,
    identities: people.map((person) => person.email ?? person.id),
    traits: {},
    scores: await scoresOf(db, account.id),
  }
}

async function scoresOf(db: Db, id: string): Promise<Explanation['scores']> {
  const rows = await db
    .selectFrom('score')
    .selectAll()
    .where('subject_id', '=', id)
    .orderBy('model')
    .execute()
  return rows.map((row) => ({
    model: row.model,
    version: row.model_version,
    score: row.score,
    grade: row.grade,
    usageStatus: row.usage_status,
    salesStatus: row.sales_status,
    statusSince: row.status_since.toISOString(),
    change: row.change,
    trend: row.trend,
    summary: (row.facts as ScoreFacts).summary,
    asOf: row.as_of.toISOString(),
    contributions: row.contributions as Contribution[],
  }))
}
