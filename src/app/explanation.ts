import type { Selectable } from 'kysely'
import type { AccountRule } from '../core/identity/accounts.ts'
import { normaliseEmail } from '../core/identity/email.ts'
import type { Db } from '../infra/postgres/database.ts'
import { readSalesStates } from '../infra/postgres/sales-store.ts'
import type { Tables } from '../infra/postgres/tables.ts'
import { readToldTraits, type ToldTrait } from '../infra/postgres/trait-store.ts'
import { type ExplainedScore, explainScores } from './explained-score.ts'
import type { Evidence, Join } from './identity-evidence.ts'
import { type Outcomes, readOutcomes } from './outcomes.ts'

/** What sales said last. */
export interface SalesTold {
  readonly status: string
  /** ISO 8601 UTC. */
  readonly since: string
  readonly source: string | null
  /** The CRM's own words; null where it gives none. */
  readonly reason: string | null
}

/** Why one person or account has the score that it has. */
export interface Explanation extends Outcomes {
  readonly subject: 'person' | 'account'
  readonly id: string
  readonly name: string
  readonly account: string | null
  /** Which rule put a person into the account, and what it went by. */
  readonly accountBy: { readonly rule: AccountRule; readonly value: string } | null
  /** Vendor ids and addresses that are this person; people of this account. */
  readonly identities: readonly string[]
  /** Why these ids are one person. */
  readonly joins: readonly Join[]
  /** What is and was said of the person or account itself, when, and what says so. */
  readonly traits: readonly ToldTrait[]
  /** What sales said last; null when it never spoke. */
  readonly sales: SalesTold | null
  readonly scores: readonly ExplainedScore[]
}

/**
 * Explains whoever has this e-mail address, domain or id; null when nobody has.
 * @param evidence where the ids of a person were seen together; without it, that is left out.
 */
export async function explain(
  db: Db,
  who: string,
  evidence: Evidence = async () => [],
): Promise<Explanation | null> {
  const person = await findPerson(db, who)
  if (person) return explainPerson(db, person, evidence)
  const account = await db
    .selectFrom('account')
    .selectAll()
    .where((e) =>
      e.or([
        e('id', '=', who),
        e('domain', '=', who.trim().toLowerCase()),
        e('key', '=', who),
        e('key', '=', `group:${who}`),
      ]),
    )
    .executeTakeFirst()
  return account ? explainAccount(db, account) : null
}

export type PersonRow = Pick<
  Selectable<Tables['person']>,
  'id' | 'email' | 'account_id' | 'account_rule' | 'account_value'
>

/** Whoever has this address or id; null when nobody has. */
export async function findPerson(db: Db, who: string): Promise<PersonRow | null> {
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
    .select(['id', 'email', 'account_id', 'account_rule', 'account_value'])
    .where('id', '=', alias?.person_id ?? known?.person_id ?? who)
    .executeTakeFirst()
  return row ?? null
}

async function explainPerson(db: Db, person: PersonRow, evidence: Evidence): Promise<Explanation> {
  const nodes = await db
    .selectFrom('identity_node')
    .select('node')
    .where('person_id', '=', person.id)
    .orderBy('node')
    .execute()
  const account = await db
    .selectFrom('account')
    .select(['domain', 'name'])
    .where('id', '=', person.account_id ?? '')
    .executeTakeFirst()
  const identities = nodes.map((row) => row.node)
  const { account_rule: rule, account_value: value } = person
  return {
    subject: 'person',
    id: person.id,
    name: person.email ?? person.id,
    account: account?.domain ?? account?.name ?? null,
    accountBy: rule === null ? null : { rule, value: value ?? '' },
    identities,
    joins: await evidence(identities),
    traits: await readToldTraits(db, person.id),
    sales: await salesOf(db, person.id),
    ...(await readOutcomes(db, person.id)),
    scores: await explainScores(db, person.id),
  }
}

async function explainAccount(
  db: Db,
  account: Pick<Selectable<Tables['account']>, 'id' | 'domain' | 'name'>,
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
    name: account.domain ?? account.name,
    account: null,
    accountBy: null,
    joins: [],
    identities: people.map((person) => person.email ?? person.id),
    traits: await readToldTraits(db, account.id),
    sales: await salesOf(db, account.id),
    ...(await readOutcomes(db, account.id)),
    scores: await explainScores(db, account.id),
  }
}

async function salesOf(db: Db, id: string): Promise<SalesTold | null> {
  const state = (await readSalesStates(db, [id])).get(id)
  if (!state || state.since === null) return null
  const { status, since, source, reason } = state
  return { status, since: new Date(since).toISOString(), source, reason }
}
