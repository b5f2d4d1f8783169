import { type IdentityFact, type Person, resolvePeople } from '../../src/core/identity/people.ts'
import { readFacts } from '../../src/infra/lake/facts-reader.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import { liveWindows } from '../../src/infra/postgres/manifest.ts'
import { storePeople } from '../../src/infra/postgres/people-store.ts'
import { clearTouched, readTouched } from '../../src/infra/postgres/touched.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import { type JobContext, type StepHandler, TOUCHED } from '../context.ts'
import { carryRecordsOn } from './carry-records.ts'
import { accountsOf, personIdOf } from './identity-ids.ts'
import { identifyTouched } from './identity-touched.ts'

/** Joins vendor identities into people and people into accounts. */
export const identity: StepHandler = async (context, _key, params) => {
  // Before the live windows: whoever is marked by now is in them.
  const touched = await readTouched(context.db, 'identity')
  if (params === TOUCHED) return identifyTouched(context, touched)
  const facts = await allFacts(context)
  const rows = await context.db.selectFrom('identity_node').selectAll().execute()
  const known = new Map(rows.map((row) => [row.node, row.person_id]))
  const resolved = resolvePeople(facts, known, personIdOf)
  const accounts = accountsOf(resolved.people)
  const changed = await context.db.transaction().execute(async (tx) => {
    const n = await storePeople(tx, resolved, accounts, known)
    await carryRecordsOn(tx, resolved.aliases)
    await clearTouched(tx, touched)
    // Usage changed, or nobody would have asked; so scores are looked at again in any case.
    await requestWork(tx, 'score', 'all')
    return n
  })
  return {
    people: resolved.people.length,
    accounts: accounts.size,
    changed,
    sharedIds: resolved.shared.length,
    withEmail: countOf(resolved.people, (person) => person.email !== null),
  }
}

async function allFacts(context: JobContext): Promise<IdentityFact[]> {
  const { usageHash, set } = await readPublished(context.db)
  const mapping = { usage: set.usage, usageHash }
  const facts: IdentityFact[] = []
  await context.duck.connect(async (connection) => {
    for (const source of context.sources.keys()) {
      const live = await liveWindows(context.db, source)
      facts.push(...(await readFacts(connection, context.lakeDir, source, live, mapping)))
    }
  })
  return facts
}

function countOf(people: readonly Person[], keep: (person: Person) => boolean): number {
  return people.reduce((n, person) => n + (keep(person) ? 1 : 0), 0)
}
