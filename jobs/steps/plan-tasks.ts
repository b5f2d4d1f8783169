import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { ageAtArrival } from '../../src/core/freshness/age.ts'
import type { CrmMapping, DealMapping, TaskMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Model } from '../../src/core/mapping/model.ts'
import {
  isFresh,
  renderTask,
  type StoryDeal,
  type TaskStory,
} from '../../src/core/playbook/task-story.ts'
import type { CrmTaskType } from '../../src/core/ports/crm.ts'
import { createExplainer } from '../../src/core/scoring/explain.ts'
import { isBookkeeping } from '../../src/core/scoring/points.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { readDealsOf, type StoredDeal } from '../../src/infra/postgres/deal-store.ts'
import { readScores } from '../../src/infra/postgres/score-store.ts'
import type { Arrivals } from '../../src/infra/postgres/touched.ts'
import { type Spoken, speakers } from './speakers.ts'

/** What a planned task says; the CRM ids of the records are filled in when it is created. */
export interface PlannedTask {
  readonly subject: string
  readonly body: string
  readonly dueAt: string
  readonly priority: 'low' | 'medium' | 'high'
  readonly accountRef: string
  readonly personRefs: readonly string[]
  readonly type?: CrmTaskType
  readonly queueId?: string | null
  readonly reminderAt?: string | null
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
export async function planTasks(tx: Tx, crm: string, look: TaskLook): Promise<number> {
  const { set, mapping, among } = look
  const company = mapping.objects.company
  if (!company) return 0
  const spoken = new Map(
    (await speakers(tx, set, company, among)).map((s) => [s.score.subjectId, s]),
  )
  let added = 0
  for (const id of company.model) {
    const model = set.models.get(id)
    if (model) added += await planOfModel(tx, crm, { ...look, model }, spoken)
  }
  return added
}

/** At whom and by what a look for tasks is. */
export interface TaskLook {
  readonly set: MappingSet
  readonly mapping: CrmMapping
  readonly rules: TaskMapping
  readonly now: Date
  /** When what brought them about arrived. */
  readonly arrivals: Arrivals
  /** These alone; null for all accounts. */
  readonly among: readonly string[] | null
}

interface Plan extends TaskLook {
  readonly model: Model
}

async function planOfModel(
  tx: Tx,
  crm: string,
  { set, mapping, model, rules, now, arrivals, among }: Plan,
  spoken: ReadonlyMap<string, Spoken>,
): Promise<number> {
  const open = await openDeals(tx, crm, mapping.deals, spoken)
  const peopleModel = set.models.get(model['people-model'] ?? '') ?? model
  let added = 0
  for (const entry of await enteredQualified(tx, model.id, among)) {
    const speaker = spoken.get(entry.subject_id)
    const evidenceAt = entry.evidence_at?.toISOString() ?? null
    // Another model speaks for the account, or it is qualified no more.
    if (speaker?.model !== model || speaker.score.usageStatus !== 'qualified') continue
    const { score } = speaker
    if (!isFresh(evidenceAt, rules['evidence-within'], now)) continue
    const key = `${crm}|account-qualified|${entry.subject_id}|${score.qualifiedAt}`
    const told = [score.facts.championId, ...score.facts.otherIds].filter((id) => id !== null)
    const people = await readScores(tx, model['people-model'] ?? '', told)
    const story = await storyOf(tx, { score, model }, { scores: people, model: peopleModel })
    const deal = storyDeal(open.get(entry.subject_id)?.[0])
    const { subject, body } = await renderTask(rules, { ...story, deal })
    const task: PlannedTask = {
      subject,
      body,
      ...termsOf(rules, now),
      accountRef: entry.subject_id,
      personRefs: [score.facts.championId, ...score.facts.otherIds]
        .filter((id): id is string => id !== null)
        .slice(0, MOST_PEOPLE),
    }
    const marker = `RPN-${createHash('sha256').update(key).digest('hex').slice(0, 10).toUpperCase()}`
    const arrivedAt = arrivals.of(entry.subject_id)
    const waitedMs = arrivedAt === null ? 0 : Date.now() - arrivedAt.getTime()
    const ageMs = ageAtArrival(score.facts.lastActive, now, waitedMs)
    const result = await sql`insert into task_intent
        (key, crm, account_ref, marker, state, task, qualified_at, arrived_at, event_age_ms)
      values (${key}, ${crm}, ${entry.subject_id}, ${marker}, 'planned',
        ${JSON.stringify(task)}::jsonb, ${score.qualifiedAt}, ${arrivedAt}, ${ageMs})
      on conflict (key) do nothing`.execute(tx)
    added += Number(result.numAffectedRows ?? 0)
  }
  return added
}

/** What the mapping says of every task, at the time of its planning. */
function termsOf(rules: TaskMapping, now: Date) {
  const dueMs = now.getTime() + rules['due-in']
  const before = rules['remind-before']
  return {
    dueAt: new Date(dueMs).toISOString(),
    priority: rules.priority,
    type: rules.type,
    queueId: rules.queue ?? null,
    reminderAt: before === undefined ? null : new Date(dueMs - before).toISOString(),
  }
}

/** Open deals of all accounts that are scored, the newest first; nobody's where deals are not read. */
async function openDeals(
  tx: Tx,
  crm: string,
  deals: DealMapping | undefined,
  spoken: ReadonlyMap<string, Spoken>,
): Promise<ReadonlyMap<string, readonly StoredDeal[]>> {
  if (!deals) return new Map()
  const qualified = [...spoken.values()].flatMap(({ score }) =>
    score.usageStatus === 'qualified' ? [score.subjectId] : [],
  )
  const all = await readDealsOf(tx, crm, qualified, deals.pipelines)
  return new Map([...all].map(([id, own]) => [id, own.filter(({ state }) => state === 'open')]))
}

function storyDeal(deal: StoredDeal | undefined): StoryDeal | null {
  if (!deal) return null
  const { name, stage, amount, currency, createdAt } = deal
  return { name, stage, amount, currency, since: createdAt.slice(0, 10) }
}

/** The newest entry into `qualified` of every account of a model. */
async function enteredQualified(
  tx: Tx,
  model: string,
  among: readonly string[] | null,
): Promise<Entered[]> {
  return tx
    .selectFrom('score_change')
    .distinctOn('subject_id')
    .select(['subject_id', 'id', 'evidence_at'])
    .where('model', '=', model)
    .$if(among !== null, (q) =>
      q.where(sql<boolean>`subject_id = any(${[...(among ?? [])]}::text[])`),
    )
    .where('to_status', '=', 'qualified')
    .where(sql<boolean>`from_status is distinct from 'qualified'`)
    .orderBy('subject_id')
    .orderBy('id', 'desc')
    .execute()
}

async function storyOf(
  tx: Tx,
  { score, model }: Spoken,
  people: { readonly scores: ReadonlyMap<string, Score>; readonly model: Model },
): Promise<Omit<TaskStory, 'deal'>> {
  const words = createExplainer(model)
  const ofPeople = createExplainer(people.model)
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
    score: people.scores.get(id)?.score ?? 0,
    did: (people.scores.get(id)?.contributions ?? [])
      .filter((part) => part.points > 0 && !isBookkeeping(part))
      .map(ofPeople.behaviour),
  })
  return {
    account: { name: account.name, domain: account.domain ?? '' },
    score: score.score,
    grade: score.grade,
    trend: score.trend,
    summary: words.summary(score),
    reasons: words
      .table(score)
      .split('\n')
      .filter((line) => line !== ''),
    active_users: score.facts.activeUsers,
    qualified_users: score.facts.qualifiedUsers,
    champion: score.facts.championId === null ? null : told(score.facts.championId),
    others: score.facts.otherIds.slice(0, MOST_PEOPLE - 1).map(told),
  }
}
