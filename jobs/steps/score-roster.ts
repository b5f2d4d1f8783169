import { sql } from 'kysely'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import { featureTime, type ReadAction, readActions } from '../../src/core/usage/feature-sql.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import type { RollupTable } from '../../src/infra/lake/rollup-table.ts'
import {
  addMembers,
  clearMembers,
  loadHeldUsage,
  loadUsage,
  type Membership,
  type Rollups,
  usageAsk,
} from '../../src/infra/lake/usage-table.ts'
import { readEffective } from '../../src/infra/mappings/published.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { liveRollups } from '../../src/infra/postgres/manifest.ts'
import { type NamedPerson, type Roster, rosterOf } from './score-features.ts'
import { planScores, type ScorePlan } from './score-plan.ts'

const DAY_MS = 86_400_000

/** Slots of people; see the column `slot`. */
export const SLOTS = 16_384

/** Models and the rollups that go with them, of one moment. */
export interface Rules {
  readonly set: MappingSet
  readonly plan: ScorePlan
  readonly live: Rollups
}

/** Models and rollups as they are now: a rebuild may swap both in between. */
export function readRules(db: Db, lakeDir: string): Promise<Rules> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      const { set } = await readEffective(tx)
      const parts = await liveRollups(tx)
      return { set, plan: planScores(set), live: { dir: lakeDir, parts } }
    })
}

/**
 * The day boundary at which a subject that has just become qualified is scored once more: what she did
 * before is no fresh evidence.
 */
export const boundaryBefore = (asOf: Date): Date =>
  new Date(Math.floor((asOf.getTime() - DAY_MS) / DAY_MS) * DAY_MS)

/** The actions that are read: days enough for the boundary before as well. */
export const actionsOf = (plan: ScorePlan, asOf: Date): readonly ReadAction[] =>
  readActions([plan.person, plan.account], featureTime(boundaryBefore(asOf)).endDay)

/** Whom to look at: some people and accounts with all of their colleagues, or a range of slots. */
export type Whom =
  | { readonly subjects: readonly string[] }
  | { readonly fromSlot: number; readonly toSlot: number }

/** A person and the ids that vendors know her by. */
export interface NodeRow {
  readonly id: string
  readonly accountId: string | null
  readonly slot: number
  readonly nodes: readonly string[] | null
}

/** People with the ids that vendors know them by, in the order of slots and accounts. */
export async function readNodes(db: Db, whom: Whom): Promise<readonly NodeRow[]> {
  const among =
    'subjects' in whom
      ? // Each by its own index: with `or` between them, PostgreSQL looks at everybody.
        sql`p.id in (select unnest(${[...whom.subjects]}::text[])
          union select o.id from person o where o.account_id in (select unnest(${[...whom.subjects]}::text[])
            union select m.account_id from person m where m.id = any(${[...whom.subjects]}::text[])))`
      : sql`p.slot >= ${whom.fromSlot} and p.slot < ${whom.toSlot}`
  const { rows } = await sql<NodeRow>`
    select p.id, p.account_id as "accountId", p.slot, n.nodes
    from person p left join lateral (
      select array_agg(node) as nodes from identity_node where person_id = p.id) n on true
    where ${among} order by p.slot, p.account_id, p.id`.execute(db)
  return rows
}

/** Numbers people and accounts as they come; both in the order of slots. */
export class Numbering {
  #people = 0
  #accounts = 0
  #accountId: string | null = null

  next({ id, accountId }: NodeRow): NamedPerson {
    if (accountId !== null && accountId !== this.#accountId) this.#accounts++
    this.#accountId = accountId
    const account = accountId === null ? null : this.#accounts
    return { number: this.#people++, id, account, accountId }
  }
}

/** What counts for a person, by the ids that vendors know her by. */
export function* membershipsOf(
  { number, account }: NamedPerson,
  nodes: readonly string[] | null,
  part = 0,
): Iterable<Membership> {
  for (const node of nodes ?? []) {
    const slash = node.indexOf('/')
    const source = node.slice(0, slash)
    if (source === 'email') continue
    yield { source, profile: node.slice(slash + 1), person: number, account, part }
  }
}

/** Who is who, of everybody. */
export async function readMemberships(db: Db): Promise<readonly Membership[]> {
  const numbering = new Numbering()
  const rows = await readNodes(db, { fromSlot: 0, toSlot: SLOTS })
  return rows.flatMap((row) => [...membershipsOf(numbering.next(row), row.nodes)])
}

/**
 * Loads the usage of some people into the table `usage`, straight from the rollups.
 * @param table holds the rollups for those who ask often; null reads their files.
 */
export async function loadRoster(
  connection: Connection,
  db: Db,
  { plan, live }: Pick<Rules, 'plan' | 'live'>,
  whom: Whom,
  asOf: Date,
  table: RollupTable | null = null,
): Promise<Roster> {
  const numbering = new Numbering()
  const named: NamedPerson[] = []
  const members: Membership[] = []
  for (const row of await readNodes(db, whom)) {
    const person = numbering.next(row)
    named.push(person)
    members.push(...membershipsOf(person, row.nodes))
  }
  await clearMembers(connection)
  await addMembers(connection, members)
  const ask = usageAsk([plan.person, plan.account], actionsOf(plan, asOf))
  const files = (await table?.hold(connection, live)) ?? null
  if (files) await loadHeldUsage(connection, live, ask, files)
  else await loadUsage(connection, live, ask)
  return rosterOf(named)
}
