import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { resolveAccounts } from '../../src/core/identity/accounts.ts'
import { type IdentityFact, type Person, resolvePeople } from '../../src/core/identity/people.ts'
import { accountRules, peopleRules } from '../../src/core/identity/rules.ts'
import { readFacts } from '../../src/infra/lake/facts-reader.ts'
import { type PublishedMapping, readPublished } from '../../src/infra/mappings/published.ts'
import { storeAccounts } from '../../src/infra/postgres/account-store.ts'
import { readCrmCompanies } from '../../src/infra/postgres/crm-company-store.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { liveWindows, storedSources } from '../../src/infra/postgres/manifest.ts'
import { storePeople } from '../../src/infra/postgres/people-store.ts'
import { storeRefusals } from '../../src/infra/postgres/refusal-store.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { JobContext, StepHandler } from '../context.ts'

/** Joins vendor identities into people and people into accounts. */
export const identity: StepHandler = async (context) => {
  const { db } = context
  const published = await readPublished(db)
  const facts = await allFacts(context, published)
  const rows = await db.selectFrom('identity_node').selectAll().execute()
  const known = new Map(rows.map((row) => [row.node, row.person_id]))
  const rules = peopleRules(published.set.identity, oneIdSpace(context))
  const resolved = resolvePeople(facts, known, (node) => `per_${digest(node)}`, rules)
  const companies = await readCrmCompanies(db)
  const { accounts, of } = resolveAccounts(
    resolved.people,
    accountRules(published.set.identity),
    companies,
  )
  const ids = new Map(accounts.map(({ key }) => [key, accountId(key)]))
  const changed = await db.transaction().execute(async (tx) => {
    const moved = await storeAccounts(tx, accounts, ids)
    const n = await storePeople(tx, resolved, { of, ids }, known)
    await storeRefusals(tx, resolved)
    await carryRecordsOn(tx, [
      ...moved.map(({ id, heir }) => ({ id, heir })),
      ...resolved.aliases.map(({ id, personId }) => ({ id, heir: personId })),
    ])
    // Usage changed, or nobody would have asked; so scores are looked at again in any case.
    await requestWork(tx, 'score', 'all')
    return n
  })
  return {
    people: resolved.people.length,
    accounts: accounts.length,
    changed,
    sharedIds: resolved.shared.length,
    refusedJoins: resolved.refused.length,
    withEmail: countOf(resolved.people, (person) => person.email !== null),
  }
}

/** The id of a domain's account is that of the domain alone, as it was before there were groups. */
function accountId(key: string): string {
  return `acc_${digest(key.replace(/^domain:/, ''))}`
}

const oneIdSpace = ({ sources }: JobContext): ReadonlySet<string> =>
  new Set([...sources].filter(([, { source }]) => source.oneIdSpace).map(([name]) => name))

async function allFacts(
  context: JobContext,
  { usageHash, set }: PublishedMapping,
): Promise<IdentityFact[]> {
  const mapping = { usage: set.usage, usageHash }
  const facts: IdentityFact[] = []
  await context.duck.connect(async (connection) => {
    for (const source of await storedSources(context.db)) {
      const live = await liveWindows(context.db, source)
      facts.push(...(await readFacts(connection, context.lakeDir, source, live, mapping)))
    }
  })
  return facts
}

/**
 * The CRM record of a person who was merged away goes to the one who stands for her now, and that of
 * an account to the one that has its domain now, unless that one has a record of its own.
 */
async function carryRecordsOn(
  tx: Tx,
  heirs: readonly { readonly id: string; readonly heir: string }[],
): Promise<void> {
  for (const { id, heir } of heirs) {
    await sql`with gone as (
        delete from crm_record r where r.ref = ${id} and r.crm_id is not null and not exists
          (select from crm_record o where o.ref = ${heir} and o.crm = r.crm and o.crm_id is not null)
        returning *)
      insert into crm_record (ref, crm, object, crm_id, owner_id, may_create, lookup, desired,
        desired_on_create, state, company_ref, company_linked)
      select ${heir}, crm, object, crm_id, owner_id, may_create, lookup, desired,
        desired_on_create, 'pending', company_ref, company_linked from gone
      on conflict (ref, crm) do update set crm_id = excluded.crm_id, owner_id = excluded.owner_id,
        company_linked = excluded.company_linked, written = null, state = 'pending'`.execute(tx)
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 20)
}

function countOf(people: readonly Person[], keep: (person: Person) => boolean): number {
  return people.reduce((n, person) => n + (keep(person) ? 1 : 0), 0)
}
