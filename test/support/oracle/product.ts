import type { Db } from '../../../src/infra/postgres/database.ts'
import type { Answer } from './answers.ts'
import type { KnownPerson } from './scene.ts'

/** Who is who, as the product has it: identity is not what the oracle checks. */
export async function readWho(db: Db): Promise<{
  readonly people: KnownPerson[]
  readonly personOf: Map<string, string>
}> {
  const people = await db
    .selectFrom('person')
    .select(['id', 'account_id', 'email_kind', 'traits'])
    .execute()
  const nodes = await db.selectFrom('identity_node').select(['node', 'person_id']).execute()
  return {
    people: people.map((row) => ({
      id: row.id,
      accountId: row.account_id,
      traits: { ...(row.traits as Record<string, string>), email_kind: row.email_kind },
    })),
    personOf: new Map(nodes.map(({ node, person_id }) => [node, person_id])),
  }
}

/** The stored scores of one model, by subject. */
export async function readAnswers(db: Db, model: string): Promise<Map<string, Answer>> {
  const rows = await db
    .selectFrom('score')
    .select(['subject_id', 'score', 'grade', 'usage_status', 'contributions', 'facts'])
    .where('model', '=', model)
    .execute()
  return new Map(
    rows.map((row) => {
      const facts = row.facts as { championId?: string | null; otherIds?: string[] }
      const contributions = row.contributions as Answer['contributions']
      const answer: Answer = {
        subjectId: row.subject_id,
        score: row.score,
        grade: row.grade,
        usageStatus: row.usage_status,
        contributions: contributions.map(({ id, points, amount }) => ({ id, points, amount })),
        championId: facts.championId ?? null,
        otherIds: facts.otherIds ?? [],
      }
      return [row.subject_id, answer]
    }),
  )
}
