import { sql } from 'kysely'
import { type Told, type TraitTime, valueAt } from '../../core/scoring/dated-traits.ts'
import type { Traits } from '../../core/scoring/features.ts'
import type { Db, Tx } from './database.ts'
import { aboutSql } from './trait-subjects.ts'

/** What CRMs and files say of one subject: the list of one value by name, and since when. */
interface Said {
  readonly traits: Readonly<Record<string, readonly string[]>>
  readonly toldAt: Readonly<Record<string, number>>
}

/**
 * What is said at one moment of people and accounts: of people what usage, CRMs and files say and
 * `email_kind`, and of what nobody says of her, what is said of her account; of accounts what CRMs and
 * files say of them. Who belongs to which account is as it is now.
 * @param subjects ids of people and accounts; null for all. Of whom nothing is said is absent.
 * @param except whose word does not count, such as a CRM's.
 */
export async function readTraits(
  db: Db | Tx,
  subjects: readonly string[] | null,
  at: TraitTime,
  except: string | null = null,
): Promise<ReadonlyMap<string, Traits>> {
  return (await readDatedTraits(db, subjects, at, except)).traits
}

/** Traits as of one moment, and when they say something else with time alone. */
export interface DatedTraits {
  readonly traits: ReadonlyMap<string, Traits>
  /**
   * By the subject itself: when a file next says something that it does not say yet, in milliseconds since
   * 1970 UTC. Who is absent has nothing ahead.
   */
  readonly changeAt: ReadonlyMap<string, number>
}

/** What `readTraits` reads, and when it is over. */
export async function readDatedTraits(
  db: Db | Tx,
  subjects: readonly string[] | null,
  at: TraitTime,
  except: string | null = null,
): Promise<DatedTraits> {
  const people = await db
    .selectFrom('person')
    .select(['id', 'email_kind', 'account_id', 'told'])
    .$if(subjects !== null, (q) =>
      q.where(sql<boolean>`id = any(${[...(subjects ?? [])]}::text[])`),
    )
    .execute()
  const accounts = new Set(people.flatMap((person) => person.account_id ?? []))
  const listed = listOnce()
  const asked = subjects && [...new Set([...subjects, ...accounts])]
  const changeAt = new Map<string, number>()
  const said = await readSaid(db, asked, { ...at, except }, listed, changeAt)
  const traits = new Map<string, Traits>()
  for (const person of people) {
    const own = said.get(person.id)
    const hers: Record<string, readonly string[]> = {
      ...said.get(person.account_id ?? '')?.traits,
      ...own?.traits,
    }
    addTold(hers, person.told as Told, own, at, listed)
    hers['email_kind'] = listed(person.email_kind)
    traits.set(person.id, hers)
  }
  const wanted = subjects && new Set(subjects)
  for (const [id, one] of said) {
    if (!traits.has(id) && (!wanted || wanted.has(id))) traits.set(id, one.traits)
  }
  return { traits, changeAt }
}

/** Adds what usage said; where something else said it of herself too, what was told last stands. */
function addTold(
  traits: Record<string, readonly string[]>,
  told: Told,
  said: Said | undefined,
  at: TraitTime,
  listed: (value: string) => readonly string[],
): void {
  for (const name in told) {
    const value = valueAt(told[name] ?? [], at)
    if (!value || (said?.toldAt[name] ?? Number.NEGATIVE_INFINITY) >= value.toldAt) continue
    traits[name] = listed(value.value)
  }
}

/** Most people have one of a few values: each is one list in memory. */
function listOnce(): (value: string) => readonly string[] {
  const lists = new Map<string, readonly string[]>()
  return (value) => {
    const known = lists.get(value)
    if (known) return known
    const list = [value]
    lists.set(value, list)
    return list
  }
}

/**
 * What CRMs and files say, by subject; of one trait, what began last, was learnt last, is smallest. What
 * is said from a later instant on goes to `changeAt`.
 */
async function readSaid(
  db: Db | Tx,
  subjects: readonly string[] | null,
  at: TraitTime & { readonly except: string | null },
  listed: (value: string) => readonly string[],
  changeAt: Map<string, number>,
): Promise<Map<string, Said>> {
  const known = at.knownAt ?? null
  // Where nobody ever said anything, nobody is looked for.
  const { rows: some } = await sql`select from trait limit 1`.execute(db)
  if (some.length === 0) return new Map()
  const { rows } = await sql<{
    subject: string
    name: string
    value: string
    told: number
    recorded: number
  }>`select w.subject, t.name, t.value, (extract(epoch from t.told_at) * 1000)::float8 as told,
      (extract(epoch from t.recorded_at) * 1000)::float8 as recorded
    from (${aboutSql(subjects)}) w join trait t on t.about = w.about
    where (t.ended_at is null or t.ended_at > ${at.asOf}
        or coalesce(t.end_recorded_at, t.ended_at) > ${known}::timestamptz)
      and (${known}::timestamptz is null or t.recorded_at <= ${known})
      and t.origin is distinct from ${at.except}`.execute(db)
  const said = new Map<string, SaidRows>()
  for (const row of rows) {
    const { subject, name } = row
    if (row.told > at.asOf.getTime()) {
      changeAt.set(subject, Math.min(changeAt.get(subject) ?? row.told, row.told))
      continue
    }
    let one = said.get(subject)
    if (!one) {
      one = { traits: {}, toldAt: {}, recordedAt: {} }
      said.set(subject, one)
    }
    if (!isNewer(row, one)) continue
    one.traits[name] = listed(row.value)
    one.toldAt[name] = row.told
    one.recordedAt[name] = row.recorded
  }
  return said
}

interface SaidRows {
  readonly traits: Record<string, readonly string[]>
  readonly toldAt: Record<string, number>
  readonly recordedAt: Record<string, number>
}

function isNewer(
  row: {
    readonly name: string
    readonly value: string
    readonly told: number
    readonly recorded: number
  },
  known: SaidRows,
): boolean {
  const { name, value, told, recorded } = row
  const before = known.traits[name]?.[0]
  if (before === undefined) return true
  const [toldAt = 0, recordedAt = 0] = [known.toldAt[name], known.recordedAt[name]]
  if (told !== toldAt) return told > toldAt
  return recorded !== recordedAt ? recorded > recordedAt : value < before
}

/** One thing that is or was said of somebody, for people. Instants are ISO 8601 UTC. */
export interface ToldTrait {
  readonly name: string
  readonly value: string
  /** `usage`, the name of a CRM, or `csv/<name in traits.yaml>`. */
  readonly origin: string
  readonly firstAt: string
  readonly lastAt: string
  /** When it was no longer said; null while it is. */
  readonly endedAt: string | null
}

/** Everything that was ever said of one person or account itself, by name, told last first. */
export async function readToldTraits(db: Db, subject: string): Promise<readonly ToldTrait[]> {
  const person = await db
    .selectFrom('person')
    .select('told')
    .where('id', '=', subject)
    .executeTakeFirst()
  const told = Object.entries((person?.told ?? {}) as Told).flatMap(([name, tellings]) =>
    tellings.map(([value, firstAt, lastAt]) => ({
      name,
      value,
      origin: 'usage',
      firstAt: new Date(firstAt).toISOString(),
      lastAt: new Date(lastAt).toISOString(),
      endedAt: null,
    })),
  )
  const { rows } = await sql<{
    name: string
    value: string
    origin: string
    told_at: Date
    ended_at: Date | null
  }>`select t.* from (${aboutSql([subject])}) w join trait t on t.about = w.about`.execute(db)
  const said = rows.map(({ name, value, origin, told_at, ended_at }) => ({
    name,
    value,
    origin,
    firstAt: told_at.toISOString(),
    lastAt: told_at.toISOString(),
    endedAt: ended_at?.toISOString() ?? null,
  }))
  const key = (t: ToldTrait) => [t.endedAt === null ? '9' : t.endedAt, t.lastAt, t.firstAt].join()
  return [...told, ...said].sort((a, b) =>
    a.name !== b.name ? (a.name < b.name ? -1 : 1) : key(a) < key(b) ? 1 : -1,
  )
}

/** What a record of a CRM says now, by trait; null where it says nothing. */
export interface SeenTraits {
  /** Id of the person or account. */
  readonly about: string
  readonly values: Readonly<Record<string, string | null>>
  /** By trait: when this was set or emptied, in milliseconds since 1970 UTC, where the CRM tells. */
  readonly since?: Readonly<Record<string, number>>
}

/**
 * Notes what a CRM says of some people and accounts now: what it says no longer has ended, what it says
 * anew begins, and what it says still is left alone. Where the CRM does not tell since when, or tells of a
 * time before what it replaces, that is now.
 * @returns of whom it says something else than before.
 */
export async function storeSeenTraits(
  tx: Tx,
  origin: string,
  seen: readonly SeenTraits[],
  at: Date,
): Promise<readonly string[]> {
  if (seen.length === 0) return []
  const values = seen.flatMap(({ about, values, since = {} }) =>
    Object.entries(values).map(([name, value]) => {
      const told = Math.min(since[name] ?? at.getTime(), at.getTime())
      return { about, name, value: value || null, at: new Date(told).toISOString() }
    }),
  )
  const table = sql`jsonb_to_recordset(${JSON.stringify(values)}::jsonb)
    as n(about text, name text, value text, at timestamptz)`
  const { rows } = await sql<{ about: string }>`
    with before as (select * from trait where origin = ${origin} and ended_at is null
      and about = any(${seen.map((one) => one.about)}::text[])),
    now_said as (select about, name, value, case when exists (select from before b
        where b.about = n.about and b.name = n.name and b.told_at >= n.at)
      then ${at}::timestamptz else n.at end as at from ${table}),
    ended as (
      update trait t set end_recorded_at = ${at}, ended_at = coalesce(
        (select n.at from now_said n where n.about = b.about and n.name = b.name), ${at})
      from before b
      where t.about = b.about and t.id = b.id and not exists (select from now_said n
        where n.about = b.about and n.name = b.name and n.value = b.value)
      returning t.about),
    begun as (
      insert into trait (about, origin, name, value, told_at, recorded_at)
      select about, ${origin}, name, value, at, ${at} from now_said n
      where value is not null and not exists (select from before b
        where b.about = n.about and b.name = n.name and b.value = n.value)
      returning about)
    select about from ended union select about from begun`.execute(tx)
  return rows.map((row) => row.about)
}
