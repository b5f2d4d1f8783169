import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { type IdentityFact, type Person, resolvePeople } from '../../src/core/identity/people.ts'
import { readFacts } from '../../src/infra/lake/facts-reader.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { liveWindows, storedSources } from '../../src/infra/postgres/manifest.ts'
import { storePeople } from '../../src/infra/postgres/people-store.ts'
import { requestWork } from '../../src/infra/postgres/work.ts'
import type { JobContext, StepHandler } from '../context.ts'

/** Joins vendor identities into people and people into accounts. */
export const identity: StepHandler = async (context) => {
  const facts = await allFacts(context)
  const rows = await context.db.selectFrom('identity_node').selectAll().execute()
  const known = new Map(rows.map((row) => [row.node, row.person_id]))
  const resolved = resolvePeople(facts, known, (node) => `per_${digest(node)}`)
  const accounts = new Map<string, string>()
  for (const person of resolved.people) {
    if (person.domain) accounts.set(person.domain, `acc_${digest(person.domain)}`)
  }
  const changed = await context.db.transaction().execute(async (tx) => {
    const n = await storePeople(tx, resolved, accounts, known)
    await carryRecordsOn(tx, resolved.aliases)
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
    for (const source of await storedSources(context.db)) {
      const live = await liveWindows(context.db, source)
      facts.push(...(await readFacts(connection, context.lakeDir, source, live, mapping)))
    }
  })
  return facts
}

/**
 * The CRM record of a person who was merged away goes to the one who stands for her now, unless that
 * one has a record of her own.
 */
async function carryRecordsOn(
  tx: Tx,
  aliases: readonly { readonly id: string; readonly personId: string }[],
): Promise<void> {
  for (const { id, personId } of aliases) {
    await sql`with gone as (
        delete from crm_record r where r.ref = ${id} and r.crm_id is not null and not exists
          (select from crm_record o where o.ref = ${personId} and o.crm = r.crm and o.crm_id is not null)
        returning *)
      insert into crm_record (ref, crm, object, crm_id, owner_id, may_create, lookup, desired,
        desired_on_create, state, company_ref, company_linked)
      select ${personId}, crm, object, crm_id, owner_id, may_create, lookup, desired,
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
