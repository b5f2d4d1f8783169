import type { Score } from '../../../src/core/scoring/score.ts'
import type { Db } from '../../../src/infra/postgres/database.ts'
import { readScores } from '../../../src/infra/postgres/score-store.ts'
import type { Answer } from './answers.ts'
import type { KnownPerson } from './scene.ts'

/** Each value of a trait with its first and last telling. */
type Told = Readonly<Record<string, readonly (readonly [string, number, number])[]>>

/** The value of each trait that was told last; of several, the one that came up last, then by text. */
function latest(told: Told): Record<string, string> {
  const entries = Object.entries(told).map(([name, values]) => {
    const sorted = [...values].sort((a, b) => b[2] - a[2] || b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
    return [name, sorted[0]?.[0] ?? ''] as const
  })
  return Object.fromEntries(entries)
}

/** Who is who, as the product has it: identity is not what the oracle checks. */
export async function readWho(db: Db): Promise<{
  readonly people: KnownPerson[]
  readonly personOf: Map<string, string>
}> {
  const people = await db
    .selectFrom('person')
    .select(['id', 'account_id', 'email_kind', 'told'])
    .execute()
  const nodes = await db.selectFrom('identity_node').select(['node', 'person_id']).execute()
  return {
    people: people.map((row) => ({
      id: row.id,
      accountId: row.account_id,
      traits: { ...latest(row.told as Told), email_kind: row.email_kind },
    })),
    personOf: new Map(nodes.map(({ node, person_id }) => [node, person_id])),
  }
}

/** The stored scores of one model, by subject. */
export async function readAnswers(db: Db, model: string): Promise<Map<string, Answer>> {
  const scores = await readScores(db, model)
  return new Map([...scores].map(([id, score]) => [id, toldBy(score)]))
}

/** What a score says, of what an answer says too. */
export const toldBy = (score: Score): Answer => ({
  subjectId: score.subjectId,
  score: score.score,
  grade: score.grade,
  usageStatus: score.usageStatus,
  contributions: score.contributions,
  championId: score.facts.championId,
  otherIds: score.facts.otherIds,
})
