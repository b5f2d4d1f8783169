import { type Selectable, sql } from 'kysely'
import type { Membership } from '../../core/identity/accounts.ts'
import type { People, Person } from '../../core/identity/people.ts'
import { sameJson } from '../../core/same-json.ts'
import type { Told } from '../../core/scoring/dated-traits.ts'
import type { Db, Tx } from './database.ts'
import type { Tables } from './tables.ts'

interface PersonRow {
  readonly id: string
  readonly email: string | null
  readonly email_kind: string
  readonly account_id: string | null
  readonly account_rule: string | null
  readonly account_value: string | null
  readonly told: Told
  readonly first_seen: string | null
  readonly last_seen: string | null
}

/** Who belongs where: memberships by person id, and account ids by account key. */
export interface StoredMemberships {
  readonly of: ReadonlyMap<string, Membership>
  readonly ids: ReadonlyMap<string, string>
}

/**
 * Makes the tables of people say what was resolved, touching only rows that differ. The accounts must
 * be stored already.
 * @param known the person of every node before.
 * @param among the people before, when only some were resolved; their nodes are all in `known`.
 * @returns how many people were added, changed or removed, and who was only seen again.
 */
export async function storePeople(
  tx: Tx,
  resolved: People,
  memberships: StoredMemberships,
  known: ReadonlyMap<string, string>,
  among: readonly string[] | null = null,
): Promise<StoredPeople> {
  const stored = await tx
    .selectFrom('person')
    .selectAll()
    .$if(among !== null, (q) => q.where(sql<boolean>`id = any(${[...(among ?? [])]}::text[])`))
    .execute()
  const before = new Map(stored.map((person) => [person.id, person]))
  const changed: PersonRow[] = []
  const seen: PersonRow[] = []
  for (const row of resolved.people.map((person) => rowOf(person, memberships))) {
    const stored = before.get(row.id)
    const old = stored && storedRow(stored)
    const { first_seen, last_seen } = row
    if (!old || !sameJson(row, { ...old, first_seen, last_seen })) changed.push(row)
    else if (first_seen !== old.first_seen || last_seen !== old.last_seen) seen.push(row)
  }
  await sql`insert into person (id, email, email_kind, account_id, account_rule, account_value,
      told, first_seen, last_seen)
    select id, email, email_kind, account_id, account_rule, account_value, told, first_seen, last_seen
    from jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) as n(id text, email text, email_kind text,
      account_id text, account_rule text, account_value text, told jsonb, first_seen timestamptz, last_seen timestamptz)
    on conflict (id) do update set email = excluded.email, email_kind = excluded.email_kind,
      account_id = excluded.account_id, account_rule = excluded.account_rule,
      account_value = excluded.account_value, told = excluded.told,
      first_seen = excluded.first_seen, last_seen = excluded.last_seen`.execute(tx)
  await storeNodes(tx, resolved.people, known)
  const alive = new Set(resolved.people.map((person) => person.id))
  const gone = [...before.keys()].filter((id) => !alive.has(id))
  await sql`delete from person where id = any(${gone})`.execute(tx)
  await storeAliases(tx, resolved)
  return { changed: changed.length + gone.length, seen }
}

export interface StoredPeople {
  readonly changed: number
  /** Of whom nothing is new but when they were seen; for `storeSeen`. */
  readonly seen: readonly SeenPerson[]
}

export type SeenPerson = Pick<PersonRow, 'id' | 'first_seen' | 'last_seen'>

/** Notes when people were seen first and last. */
export async function storeSeen(tx: Db | Tx, seen: readonly SeenPerson[]): Promise<void> {
  if (seen.length === 0) return
  await sql`update person p set first_seen = n.first_seen, last_seen = n.last_seen
    from unnest(${seen.map((one) => one.id)}::text[], ${seen.map((one) => one.first_seen)}::timestamptz[],
      ${seen.map((one) => one.last_seen)}::timestamptz[]) as n(id, first_seen, last_seen)
    where p.id = n.id`.execute(tx)
}

function rowOf(person: Person, { of, ids }: StoredMemberships): PersonRow {
  const membership = of.get(person.id)
  return {
    id: person.id,
    email: person.email,
    email_kind: person.emailKind,
    account_id: ids.get(membership?.key ?? '') ?? null,
    account_rule: membership?.rule ?? null,
    account_value: membership?.value ?? null,
    told: person.told,
    first_seen: person.firstSeen?.toISOString() ?? null,
    last_seen: person.lastSeen?.toISOString() ?? null,
  }
}

function storedRow({ created_at: _, slot: __, ...row }: Selectable<Tables['person']>): PersonRow {
  return {
    ...row,
    told: row.told as Told,
    first_seen: row.first_seen?.toISOString() ?? null,
    last_seen: row.last_seen?.toISOString() ?? null,
  }
}

async function storeNodes(
  tx: Tx,
  people: readonly Person[],
  known: ReadonlyMap<string, string>,
): Promise<void> {
  const moved: { node: string; personId: string }[] = []
  const alive = new Set<string>()
  for (const { id, nodes } of people) {
    for (const node of nodes) {
      alive.add(node)
      if (known.get(node) !== id) moved.push({ node, personId: id })
    }
  }
  const gone = [...known.keys()].filter((node) => !alive.has(node))
  await sql`delete from identity_node where node = any(${gone}::text[])`.execute(tx)
  await sql`insert into identity_node (node, person_id)
    select * from unnest(${moved.map((m) => m.node)}::text[], ${moved.map((m) => m.personId)}::text[])
    on conflict (node) do update set person_id = excluded.person_id`.execute(tx)
}

/** Every old id leads to a living person in one hop; an id that is in use again is no alias. */
async function storeAliases(tx: Tx, resolved: People): Promise<void> {
  const { aliases, people } = resolved
  await sql`delete from person_alias where id = any(${people.map((p) => p.id)}::text[])`.execute(tx)
  if (aliases.length === 0) return
  const ids = aliases.map((a) => a.id)
  const personIds = aliases.map((a) => a.personId)
  await sql`update person_alias p set person_id = n.person_id, since = now()
    from unnest(${ids}::text[], ${personIds}::text[]) as n(id, person_id)
    where p.person_id = n.id`.execute(tx)
  await sql`insert into person_alias (id, person_id)
    select * from unnest(${ids}::text[], ${personIds}::text[])
    on conflict (id) do update set person_id = excluded.person_id`.execute(tx)
}
