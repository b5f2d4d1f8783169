import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import type { CrmMapping, TaskMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import { isFresh, renderTask, type TaskStory } from '../../src/core/playbook/task-story.ts'
import { behaviourOf, reasonOf } from '../../src/core/scoring/explain.ts'
import type { Score } from '../../src/core/scoring/score-subject.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { readScores } from '../../src/infra/postgres/score-store.ts'

/** What a planned task says; the CRM ids of the records are filled in when it is created. */
export interface PlannedTask {
  readonly subject: string
  readonly body: string
  readonly dueAt: string
  readonly priority: 'low' | 'medium' | 'high'
  readonly accountRef: string
  readonly personRefs: readonly string[]
}

interface Entered {
  readonly subject_id: string
  readonly id: number
  readonly evidence_at: Date | null
}

/** Most people that a task is attached to. */
const MOST_PEOPLE = 5

/**
 * Plans one task for each account that entered `qualified` by fresh behaviour. The key names the
 * episode, so that planning again changes nothing.
 * @returns how many were added.
 */
export async function planTasks(
  tx: Tx,
  crm: string,
  set: MappingSet,
  mapping: CrmMapping,
  rules: TaskMapping,
  now: Date,
): Promise<number> {
  const company = mapping.objects.company
  const model = company ? set.models.get(company.model) : undefined
  if (!model) return 0
  const scores = await readScores(tx, model.id)
  const people = await readScores(tx, model['people-model'] ?? '')
  let added = 0
  for (const entry of await enteredQualified(tx, model.id)) {
    const score = scores.get(entry.subject_id)
    const evidenceAt = entry.evidence_at?.toISOString() ?? null
    if (score?.usageStatus !== 'qualified') continue
    if (!isFresh(evidenceAt, rules['evidence-within'], now)) continue
    const key = `${crm}|account-qualified|${entry.subject_id}|${score.qualifiedAt}`
    const story = await storyOf(tx, score, people)
    const { subject, body } = await renderTask(rules, story)
    const task: PlannedTask = {
      subject,
      body,
      dueAt: new Date(now.getTime() + rules['due-in']).toISOString(),
      priority: rules.priority,
      accountRef: entry.subject_id,
      personRefs: [score.facts.championId, ...score.facts.otherIds]
        .filter((id): id is string => id !== null)
        .slice(0, MOST_PEOPLE),
    }
    const marker = `RPN-${createHash('sha256').update(key).digest('hex').slice(0, 10).toUpperCase()}`
    const result = await sql`insert into task_intent (key, crm, account_ref, marker, state, task)
      values (${key}, ${crm}, ${entry.subject_id}, ${marker}, 'planned', ${JSON.stringify(task)}::jsonb)
      on conflict (key) do nothing`.execute(tx)
    added += Number(result.numAffectedRows ?? 0)
  }
  return added
}

/** The newest entry into `qualified` of every account of a model. */
async function enteredQualified(tx: Tx, model: string): Promise<Entered[]> {
  return tx
    .selectFrom('score_change')
    .distinctOn('subject_id')
    .select(['subject_id', 'id', 'evidence_at'])
    .where('model', '=', model)
    .where('to_status', '=', 'qualified')
    .where(sql<boolean>`from_status is distinct from 'qualified'`)
    .orderBy('subject_id')
    .orderBy('id', 'desc')
    .execute()
}

async function storyOf(
  tx: Tx,
  score: Score,
  people: ReadonlyMap<string, Score>,
): Promise<TaskStory> {
  const account = await tx
    .selectFrom('account')
    .select(['name', 'domain'])
    .where('id', '=', score.subjectId)
    .executeTakeFirstOrThrow()
  const ids = [score.facts.championId, ...score.facts.otherIds].filter((id) => id !== null)
  const rows = ids.length
    ? await tx.selectFrom('person').select(['id', 'email']).where('id', 'in', ids).execute()
    : []
  const emails = new Map(rows.map((row) => [row.id, row.email]))
  const told = (id: string) => ({
    email: emails.get(id) ?? 'somebody without an e-mail address',
    score: people.get(id)?.score ?? 0,
    did: (people.get(id)?.contributions ?? [])
      .filter((part) => part.points > 0 && part.id !== 'limit')
      .map(behaviourOf),
  })
  return {
    account: { name: account.name, domain: account.domain ?? '' },
    score: score.score,
    grade: score.grade,
    trend: score.trend,
    summary: score.facts.summary,
    reasons: score.contributions.map(reasonOf),
    active_users: score.facts.activeUsers,
    qualified_users: score.facts.qualifiedUsers,
    champion: score.facts.championId === null ? null : told(score.facts.championId),
    others: score.facts.otherIds.slice(0, MOST_PEOPLE - 1).map(told),
  }
}
