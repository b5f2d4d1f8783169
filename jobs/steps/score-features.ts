import { sql } from 'kysely'
import type { Model } from '../../src/core/mapping/model.ts'
import { ACTIVITY, type Features, type Member } from '../../src/core/scoring/features.ts'
import type { Score } from '../../src/core/scoring/score-subject.ts'
import { signalWindows } from '../../src/core/scoring/signal-windows.ts'
import type { Connection } from '../../src/infra/lake/duck.ts'
import { type Membership, readEvidence } from '../../src/infra/lake/features-reader.ts'
import type { Db } from '../../src/infra/postgres/database.ts'

interface PersonRow {
  readonly id: string
  readonly email: string | null
  readonly accountId: string | null
  readonly traits: Readonly<Record<string, string>>
}

/** Everybody who can be scored, and which usage rows count for whom. */
export interface Subjects {
  readonly people: ReadonlyMap<string, PersonRow>
  readonly peopleByAccount: ReadonlyMap<string, readonly PersonRow[]>
  readonly memberships: readonly Membership[]
}

/** @param among people and accounts, whose people and their colleagues are read; null for everybody. */
export async function readSubjects(
  db: Db,
  among: readonly string[] | null = null,
): Promise<Subjects> {
  const ids = sql`any(${[...(among ?? [])]}::text[])`
  const rows = await db
    .selectFrom('person')
    .select(['id', 'email', 'email_kind', 'account_id', 'traits'])
    .$if(among !== null, (q) =>
      q.where(sql<boolean>`(id = ${ids} or account_id = ${ids}
        or account_id in (select p.account_id from person p where p.id = ${ids}))`),
    )
    .execute()
  const people = new Map<string, PersonRow>()
  const peopleByAccount = new Map<string, PersonRow[]>()
  for (const row of rows) {
    const traits = { ...(row.traits as Record<string, string>), email_kind: row.email_kind }
    const person = { id: row.id, email: row.email, accountId: row.account_id, traits }
    people.set(row.id, person)
    if (row.account_id === null) continue
    const colleagues = peopleByAccount.get(row.account_id)
    if (colleagues) colleagues.push(person)
    else peopleByAccount.set(row.account_id, [person])
  }
  const nodes = await db
    .selectFrom('identity_node')
    .selectAll()
    // Nobody uses anything as an address.
    .where(sql<boolean>`not starts_with(node, 'email/')`)
    .$if(among !== null, (q) =>
      q.where(sql<boolean>`person_id = any(${[...people.keys()]}::text[])`),
    )
    .execute()
  const memberships = nodes.map(({ node, person_id }) => {
    const slash = node.indexOf('/')
    const source = node.slice(0, slash)
    const accountId = people.get(person_id)?.accountId ?? null
    return { source, profile: node.slice(slash + 1), personId: person_id, accountId }
  })
  return { people, peopleByAccount, memberships }
}

/** @param among who is asked about; null for all subjects. */
export async function personFeatures(
  connection: Connection,
  subjects: Subjects,
  model: Model,
  asOf: Date,
  among: readonly string[] | null = null,
): Promise<Features[]> {
  const windows = signalWindows(model, asOf)
  const evidence = await readEvidence(connection, 'person', windows, asOf, among)
  const features: Features[] = []
  for (const person of subjects.people.values()) {
    const own = evidence.get(person.id)
    // Nobody is scored before her first use.
    if (!own?.has(ACTIVITY.ever)) continue
    features.push({
      subjectId: person.id,
      evidence: own,
      traits: asLists(person.traits),
      members: [],
    })
  }
  return features
}

export async function accountFeatures(
  connection: Connection,
  subjects: Subjects,
  model: Model,
  asOf: Date,
  peopleScores: ReadonlyMap<string, Score>,
): Promise<Features[]> {
  const windows = signalWindows(model, asOf)
  const evidence = await readEvidence(connection, 'account', windows, asOf)
  const activity = windows.filter(
    ({ signal }) => signal === ACTIVITY.ever || signal === ACTIVITY.core,
  )
  const ofPeople = await readEvidence(connection, 'person', activity, asOf)
  const features: Features[] = []
  for (const [accountId, people] of subjects.peopleByAccount) {
    const own = evidence.get(accountId)
    if (!own?.has(ACTIVITY.ever)) continue
    const members = people.map((person): Member => {
      const used = ofPeople.get(person.id)
      const score = peopleScores.get(person.id)
      return {
        personId: person.id,
        email: person.email,
        score: score?.score ?? 0,
        qualified: score?.usageStatus === 'qualified',
        coreDays: used?.get(ACTIVITY.core)?.days ?? 0,
        lastActiveAt: used?.get(ACTIVITY.ever)?.lastAt ?? null,
      }
    })
    features.push({ subjectId: accountId, evidence: own, traits: unionOf(people), members })
  }
  return features
}

function asLists(traits: Readonly<Record<string, string>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(traits).map(([name, value]) => [name, [value]]))
}

function unionOf(people: readonly PersonRow[]): Record<string, string[]> {
  const union: Record<string, string[]> = {}
  for (const person of people) {
    for (const [name, value] of Object.entries(person.traits)) {
      const values = union[name] ?? []
      if (!values.includes(value)) values.push(value)
      union[name] = values
    }
  }
  return union
}
