import { sql } from 'kysely'
import { type AccountRules, resolveAccounts } from '../../src/core/identity/accounts.ts'
import type { IdentityNode } from '../../src/core/identity/identity-node.ts'
import { type IdentityFact, type People, resolvePeople } from '../../src/core/identity/people.ts'
import { accountRules, peopleRules } from '../../src/core/identity/rules.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { factsPaths } from '../../src/infra/lake/facts-reader.ts'
import type { PublishedMapping } from '../../src/infra/mappings/published.ts'
import { storeAccounts } from '../../src/infra/postgres/account-store.ts'
import { readCrmCompanies } from '../../src/infra/postgres/crm-company-store.ts'
import { liveWindows, storedSources } from '../../src/infra/postgres/manifest.ts'
import { storePeople, storeSeen } from '../../src/infra/postgres/people-store.ts'
import {
  arrivedAt,
  clearTouched,
  markTouched,
  type Touched,
} from '../../src/infra/postgres/touched.ts'
import { requestTouched } from '../../src/infra/postgres/work.ts'
import type { Counts, JobContext } from '../context.ts'
import { carryRecordsOn } from './carry-records.ts'
import { accountIds, personIdOf } from './identity-ids.ts'

/**
 * Whether a person can be told without a look at everybody: whose account a group's domain is depends
 * on all its people, and which join a pair is kept apart by on all of its edges.
 */
export function standsAlone({ usage, identity }: MappingSet): boolean {
  return usage.account.length === 0 && identity['not-the-same'].length === 0
}

/** What identity.yaml says, and that the canary is of no account. */
export function accountsBy({ canary }: JobContext, { set }: PublishedMapping): AccountRules {
  const rules = accountRules(set.identity)
  if (canary === null) return rules
  const overrides = new Map([...rules.overrides, [`email/${canary.email}`, null] as const])
  return { ...rules, overrides }
}

/** Sources in which equal ids of all kinds are one id. */
export const oneIdSpace = ({ sources }: JobContext): ReadonlySet<string> =>
  new Set([...sources].filter(([, { source }]) => source.oneIdSpace).map(([name]) => name))

/**
 * Joins touched profiles into people, and whoever is joined with them, as a look at everybody would.
 * It relies on one thing: everybody else was looked at since their facts changed. What was refused is
 * told by the next look at everybody.
 */
export async function identifyTouched(
  context: JobContext,
  published: PublishedMapping,
  touched: Touched,
): Promise<Counts> {
  if (touched.subjects.length === 0) return { people: 0, changed: 0 }
  const { db } = context
  const resolved = await context.streamDuck.connect(async (connection) => {
    await refreshFacts(context, connection, published)
    return resolveTouched(context, connection, published, touched.subjects)
  })
  const { people, aliases } = resolved.among
  const companies = await readCrmCompanies(db)
  const { accounts, of } = resolveAccounts(people, accountsBy(context, published), companies)
  const ids = accountIds(accounts)
  const changed = await db.transaction().execute(async (tx) => {
    const before = [...new Set(resolved.known.values())]
    const employers = tx.selectFrom('person').select('account_id').distinct()
    const left = await employers.where(sql<boolean>`id = any(${before}::text[])`).execute()
    const moved = await storeAccounts(tx, accounts, ids)
    const stored = await storePeople(tx, resolved.among, { of, ids }, resolved.known, before)
    await storeSeen(tx, stored.seen)
    await carryRecordsOn(tx, [
      ...moved,
      ...aliases.map(({ id, personId }) => ({ id, heir: personId })),
    ])
    await clearTouched(tx, touched)
    const theirs = [...left.map((row) => row.account_id ?? ''), ...ids.values()]
    const subjects = [...before, ...people.map((person) => person.id), ...theirs]
    const marked = [...new Set(subjects)].filter(Boolean)
    await markTouched(tx, 'score', marked, arrivedAt(touched.arrivals.first))
    await requestTouched(tx, 'score', 'all')
    return stored.changed + stored.seen.length
  })
  return { people: people.length, changed }
}

async function refreshFacts(
  context: JobContext,
  connection: Connection,
  { usageHash, set }: PublishedMapping,
): Promise<void> {
  const files: { source: string; path: string }[] = []
  for (const source of await storedSources(context.db)) {
    const live = await liveWindows(context.db, source)
    const mapping = { usage: set.usage, usageHash }
    const { lakeDir, facts } = context
    const paths = await factsPaths(connection, lakeDir, live, mapping, facts.holds)
    files.push(...paths.map((path) => ({ source, path })))
  }
  await context.facts.refresh(connection, files)
}

interface Resolved {
  readonly among: People
  /** The person of every node that was looked at, before. */
  readonly known: ReadonlyMap<IdentityNode, string>
}

/** Widens the look until nobody in it is joined, now or before, with somebody outside. */
async function resolveTouched(
  context: JobContext,
  connection: Connection,
  published: PublishedMapping,
  touched: readonly IdentityNode[],
): Promise<Resolved> {
  // An id that they link may be new, and have no facts of its own.
  let nodes = new Set([...touched, ...(await context.facts.linked(connection, touched))])
  for (;;) {
    const known = await knownAround(context, nodes)
    for (const node of known.keys()) nodes.add(node)
    const facts = await context.facts.about(connection, [...nodes])
    const among = await resolveAmong(context, published, facts, known, nodes)
    const wider = new Set([...nodes, ...among.people.flatMap((person) => person.nodes)])
    if (wider.size === nodes.size) return { among, known }
    nodes = wider
  }
}

/** All nodes of the people to whom these nodes belong. */
async function knownAround(
  { db }: JobContext,
  nodes: ReadonlySet<IdentityNode>,
): Promise<Map<IdentityNode, string>> {
  const rows = await db
    .selectFrom('identity_node')
    .select(['node', 'person_id'])
    .where(
      sql<boolean>`person_id in (select n.person_id from identity_node n
        where n.node = any(${[...nodes]}::text[]))`,
    )
    .execute()
  return new Map(rows.map((row) => [row.node, row.person_id]))
}

async function resolveAmong(
  context: JobContext,
  { set }: PublishedMapping,
  facts: readonly IdentityFact[],
  known: ReadonlyMap<IdentityNode, string>,
  nodes: ReadonlySet<IdentityNode>,
): Promise<People> {
  // Ids of people outside may not be given away once more.
  const fresh = [...nodes].filter((node) => !known.has(node)).map(personIdOf)
  const taken = await context.db
    .selectFrom('person')
    .select('id')
    .where(sql<boolean>`id = any(${fresh}::text[])`)
    .execute()
  const claimed = new Map([
    ...known,
    ...taken.map(({ id }) => [`taken/${id}`, id] as [IdentityNode, string]),
  ])
  const resolved = resolvePeople(
    facts,
    claimed,
    personIdOf,
    peopleRules(set.identity, oneIdSpace(context)),
  )
  const people = resolved.people.filter((person) => person.nodes.some((node) => nodes.has(node)))
  return { ...resolved, people }
}
