import { resolveAccounts } from '../../src/core/identity/accounts.ts'
import { type IdentityFact, type Person, resolvePeople } from '../../src/core/identity/people.ts'
import { peopleRules } from '../../src/core/identity/rules.ts'
import { readFacts } from '../../src/infra/lake/facts-reader.ts'
import { type PublishedMapping, readPublished } from '../../src/infra/mappings/published.ts'
import { storeAccounts } from '../../src/infra/postgres/account-store.ts'
import { readCrmCompanies } from '../../src/infra/postgres/crm-company-store.ts'
import { liveWindows, storedSources } from '../../src/infra/postgres/manifest.ts'
import { storePeople, storeSeen } from '../../src/infra/postgres/people-store.ts'
import { storeRefusals } from '../../src/infra/postgres/refusal-store.ts'
import { clearTouched, passArrival, readTouched } from '../../src/infra/postgres/touched.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import { type JobContext, type StepHandler, TOUCHED } from '../context.ts'
import { carryRecordsOn } from './carry-records.ts'
import { accountIds, personIdOf } from './identity-ids.ts'
import { accountsBy, identifyTouched, oneIdSpace, standsAlone } from './identity-touched.ts'

/** So many are stored at a time, so that others have their turns. */
const SEEN_AT_ONCE = 500

/** Joins vendor identities into people and people into accounts. */
export const identity: StepHandler = async (context, _key, params, signal, run) => {
  const { db } = context
  // Before the live windows: whoever is marked by now is in them.
  const touched = await readTouched(db, 'identity')
  const published = await readPublished(db)
  if (params === TOUCHED && standsAlone(published.set)) {
    return identifyTouched(context, published, touched)
  }
  const facts = await allFacts(context, published)
  const rows = await db.selectFrom('identity_node').selectAll().execute()
  const known = new Map(rows.map((row) => [row.node, row.person_id]))
  const rules = peopleRules(published.set.identity, oneIdSpace(context))
  const resolved = resolvePeople(facts, known, personIdOf, rules)
  const companies = await readCrmCompanies(db)
  const { accounts, of } = resolveAccounts(
    resolved.people,
    accountsBy(context, published),
    companies,
  )
  const ids = accountIds(accounts)
  const stored = await db.transaction().execute(async (tx) => {
    const moved = await storeAccounts(tx, accounts, ids)
    const people = await storePeople(tx, resolved, { of, ids }, known)
    await storeRefusals(tx, resolved)
    await carryRecordsOn(tx, [
      ...moved,
      ...resolved.aliases.map(({ id, personId }) => ({ id, heir: personId })),
    ])
    await clearTouched(tx, touched)
    await passArrival(tx, 'score', touched.arrivals.first)
    // Usage changed, or nobody would have asked; so scores are looked at again in any case.
    await requestWork(tx, 'score', 'all')
    return people
  })
  // Nobody asks when people were seen before they are scored.
  if (stored.seen.length > 0) await run.wakeNext?.()
  for (let at = 0; at < stored.seen.length; at += SEEN_AT_ONCE) {
    signal.throwIfAborted()
    await storeSeen(db, stored.seen.slice(at, at + SEEN_AT_ONCE))
  }
  return {
    people: resolved.people.length,
    accounts: accounts.length,
    changed: stored.changed + stored.seen.length,
    sharedIds: resolved.shared.length,
    refusedJoins: resolved.refused.length,
    withEmail: countOf(resolved.people, (person) => person.email !== null),
  }
}

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

function countOf(people: readonly Person[], keep: (person: Person) => boolean): number {
  return people.reduce((n, person) => n + (keep(person) ? 1 : 0), 0)
}
