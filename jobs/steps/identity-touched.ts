import { sql } from 'kysely'
import type { IdentityNode } from '../../src/core/identity/components.ts'
import { type IdentityFact, type People, resolvePeople } from '../../src/core/identity/people.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { factsPaths } from '../../src/infra/lake/facts-reader.ts'
import { readPublished } from '../../src/infra/mappings/published.ts'
import { liveWindows } from '../../src/infra/postgres/manifest.ts'
import { storePeople } from '../../src/infra/postgres/people-store.ts'
import { clearTouched, markTouched, type Touched } from '../../src/infra/postgres/touched.ts'
import { requestTouched } from '../../src/infra/postgres/work.ts'
import type { Counts, JobContext } from '../context.ts'
import { carryRecordsOn } from './carry-records.ts'
import { accountsOf, personIdOf } from './identity-ids.ts'

/**
 * Joins touched profiles into people, and whoever is joined with them, as a look at everybody would.
 * It relies on one thing: everybody else was looked at since their facts changed.
 */
export async function identifyTouched(context: JobContext, touched: Touched): Promise<Counts> {
  if (touched.subjects.length === 0) return { people: 0, changed: 0 }
  const resolved = await context.duck.connect(async (connection) => {
    await refreshFacts(context, connection)
    return resolveTouched(context, connection, touched.subjects)
  })
  const { people, aliases } = resolved.among
  const changed = await context.db.transaction().execute(async (tx) => {
    const before = [...new Set(resolved.known.values())]
    const employers = tx.selectFrom('person').select('account_id').distinct()
    const left = await employers.where(sql<boolean>`id = any(${before}::text[])`).execute()
    const n = await storePeople(tx, resolved.among, accountsOf(people), resolved.known, before)
    await carryRecordsOn(tx, aliases)
    await clearTouched(tx, touched)
    const accounts = [...left.map((row) => row.account_id ?? ''), ...accountsOf(people).values()]
    const subjects = [...before, ...people.map((person) => person.id), ...accounts]
    await markTouched(tx, 'score', [...new Set(subjects)].filter(Boolean))
    await requestTouched(tx, 'score', 'all')
    return n
  })
  return { people: people.length, changed }
}

async function refreshFacts(context: JobContext, connection: Connection): Promise<void> {
  const { usageHash, set } = await readPublished(context.db)
  const files: { source: string; path: string }[] = []
  for (const source of context.sources.keys()) {
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
  touched: readonly IdentityNode[],
): Promise<Resolved> {
  // An id that they link may be new, and have no facts of its own.
  let nodes = new Set([...touched, ...(await context.facts.linked(connection, touched))])
  for (;;) {
    const known = await knownAround(context, nodes)
    for (const node of known.keys()) nodes.add(node)
    const facts = await context.facts.about(connection, [...nodes])
    const among = await resolveAmong(context, facts, known, nodes)
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
  { db }: JobContext,
  facts: readonly IdentityFact[],
  known: ReadonlyMap<IdentityNode, string>,
  nodes: ReadonlySet<IdentityNode>,
): Promise<People> {
  // Ids of people outside may not be given away once more.
  const fresh = [...nodes].filter((node) => !known.has(node)).map(personIdOf)
  const taken = await db
    .selectFrom('person')
    .select('id')
    .where(sql<boolean>`id = any(${fresh}::text[])`)
    .execute()
  const claimed = new Map([
    ...known,
    ...taken.map(({ id }) => [`taken/${id}`, id] as [IdentityNode, string]),
  ])
  const resolved = resolvePeople(facts, claimed, personIdOf)
  const people = resolved.people.filter((person) => person.nodes.some((node) => nodes.has(node)))
  return { ...resolved, people }
}
