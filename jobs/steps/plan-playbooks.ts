import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { ageAtArrival } from '../../src/core/freshness/age.ts'
import type { CrmMapping, ObjectMapping } from '../../src/core/mapping/crm-mapping.ts'
import type { MappingSet } from '../../src/core/mapping/mapping-set.ts'
import type { Playbook, PlaybookTask } from '../../src/core/mapping/playbook.ts'
import { segmentOf } from '../../src/core/playbook/conditions.ts'
import { guard } from '../../src/core/playbook/guards.ts'
import { markOf } from '../../src/core/playbook/material-change.ts'
import { playbooksOf } from '../../src/core/playbook/playbooks-of.ts'
import { renderTask, type TaskStory } from '../../src/core/playbook/task-story.ts'
import type { Traits } from '../../src/core/scoring/features.ts'
import { canaryId } from '../../src/infra/postgres/canary-store.ts'
import type { Tx } from '../../src/infra/postgres/database.ts'
import { readDealsOf } from '../../src/infra/postgres/deal-store.ts'
import {
  knownStarts,
  lastStarts,
  noteStart,
  type PlaybookStart,
} from '../../src/infra/postgres/playbook-store.ts'
import { readSalesStates } from '../../src/infra/postgres/sales-store.ts'
import type { Arrivals } from '../../src/infra/postgres/touched.ts'
import { readTraits } from '../../src/infra/postgres/trait-store.ts'
import { planActions } from './plan-actions.ts'
import type { PlannedTask } from './planned-task.ts'
import { rulesOf, type Started, startedBy } from './playbook-triggers.ts'
import { type Spoken, speakers } from './speakers.ts'
import { MOST_PEOPLE, namedBy, storyOf } from './story-of.ts'

/** What planning works with. */
export interface PlanScope {
  readonly tx: Tx
  readonly set: MappingSet
  readonly crm: string
  readonly mapping: CrmMapping
  readonly now: Date
  readonly publicUrl: string | null
  /** When what brings tasks about arrived. */
  readonly arrivals: Arrivals
  /** These subjects alone; null for all. */
  readonly among: readonly string[] | null
}

/** How many playbooks were started, tasks planned, and starts that a guard held. */
export interface Planned {
  readonly started: number
  readonly tasks: number
  readonly held: number
}

/**
 * Starts the playbooks of a CRM for whom they are meant. The key names the episode, so that planning again
 * changes nothing; what a guard holds is looked at again as long as its evidence is fresh.
 */
export async function planPlaybooks(scope: PlanScope): Promise<Planned> {
  const planned = { started: 0, tasks: 0, held: 0 }
  for (const playbook of playbooksOf(scope.set, scope.crm)) {
    const rules = rulesOf(scope.mapping, playbook)
    if (!rules) continue
    for (const start of await newStarts(scope, playbook, rules)) {
      const outcome = await begin(scope, start)
      planned[outcome === 'held' ? 'held' : 'started'] += 1
      if (outcome === 'task') planned.tasks += 1
    }
  }
  return planned
}

/** A start that there was none of yet, with all that is known of whom it is for. */
interface NewStart {
  readonly key: string
  readonly playbook: Playbook
  readonly started: Started
  readonly accountId: string | null
  readonly email: string | null
  readonly domain: string | null
  readonly traits: Traits
  readonly startedAt: Date | null
}

async function newStarts(
  { tx, set, crm, now, among }: PlanScope,
  playbook: Playbook,
  rules: ObjectMapping,
): Promise<readonly NewStart[]> {
  const canary = await canaryId(tx)
  const begun = await startedBy(tx, { set, playbook, rules, now, among })
  const real = begun.filter(({ spoken }) => spoken.score.subjectId !== canary)
  const all = real.map((started) => {
    const { subjectId } = started.spoken.score
    return { key: `${crm}|${playbook.id}|${subjectId}|${started.episode}`, started }
  })
  const known = await knownStarts(
    tx,
    all.map(({ key }) => key),
  )
  const fresh = all.filter(({ key }) => !known.has(key))
  if (fresh.length === 0) return []
  const ids = fresh.map(({ started }) => started.spoken.score.subjectId)
  const last = await lastStarts(tx, { crm, playbook: playbook.id }, ids)
  const traits = needsTraits(playbook) ? await readTraits(tx, ids, { asOf: now }) : NO_TRAITS
  const subjects = await subjectsOf(tx, ids)
  return fresh.map(({ key, started }) => {
    const id = started.spoken.score.subjectId
    const subject = subjects.get(id) ?? { accountId: null, email: null, domain: null }
    return {
      ...{ key, playbook, started },
      ...subject,
      traits: traits.get(id) ?? {},
      startedAt: last.get(id) ?? null,
    }
  })
}

const NO_TRAITS: ReadonlyMap<string, Traits> = new Map()

/** Traits are read where something asks for them. */
function needsTraits({ conditions, segments, guards }: Playbook): boolean {
  const all = [...conditions, ...segments.flatMap(({ when }) => when)]
  return guards['opted-out'].length > 0 || all.some((one) => 'trait' in one)
}

async function subjectsOf(tx: Tx, ids: readonly string[]) {
  const { rows } = await sql<{
    id: string
    accountId: string | null
    email: string | null
    domain: string | null
  }>`select p.id, p.account_id as "accountId", p.email, a.domain
      from person p left join account a on a.id = p.account_id where p.id = any(${[...ids]}::text[])
    union all select id, id, null, domain from account where id = any(${[...ids]}::text[])`.execute(
    tx,
  )
  return new Map(rows.map(({ id, ...subject }) => [id, subject]))
}

async function begin(scope: PlanScope, start: NewStart): Promise<'held' | 'task' | 'other'> {
  const { tx, set, crm, mapping, now, publicUrl } = scope
  const { playbook, started, accountId, traits } = start
  const segment = segmentOf(playbook, { score: started.spoken.score, traits })
  if (!segment) return 'held'
  const account = await accountSpoken(scope, start)
  const people = await freePeople(scope, start, account)
  if (people === null) return 'held'
  const { subjectId } = started.spoken.score
  const row: PlaybookStart = {
    ...{ key: start.key, crm, playbook: playbook.id, subjectId, segment: segment.name },
    accountRef: accountId ?? subjectId,
    evidenceAt: started.evidenceAt,
  }
  if (!(await noteStart(tx, row, now))) return 'other'
  const deal = await openDeal(scope, row.accountRef)
  const story = await storyOf(tx, {
    ...{ set, playbook, started, account, accountId, people, deal, publicUrl },
  })
  const { key } = start
  const personIds = personsOf(playbook, subjectId, account, people)
  await planActions(tx, { key, subjectId, playbook, segment, story, personIds, now })
  let outcome: 'task' | 'other' = 'other'
  for (const action of segment.actions) {
    if (!('task' in action)) continue
    const where = mapping.tasks && playbook.id === 'account-qualified' ? 'tasks' : playbook.id
    await planTask(scope, { row, start, rules: action.task, story, people, account, where })
    outcome = 'task'
  }
  return outcome
}

/** The account of the subject, as the model speaks that speaks for it. */
async function accountSpoken(
  { tx, set, mapping }: PlanScope,
  { playbook, started, accountId }: NewStart,
): Promise<Spoken | null> {
  if (playbook.subject === 'account') return started.spoken
  const { company } = mapping.objects
  if (!company || accountId === null) return null
  return (await speakers(tx, set, company, [accountId]))[0] ?? null
}

/** Who may be named; null when a guard holds the playbook. */
async function freePeople(
  { tx, now }: PlanScope,
  { playbook, started, email, domain, traits, startedAt, accountId }: NewStart,
  account: Spoken | null,
): Promise<ReadonlySet<string> | null> {
  const { guards, subject } = playbook
  const { subjectId } = started.spoken.score
  const own = subject === 'person' ? [subjectId] : []
  const named = [...new Set([...own, ...(account ? namedBy(account.score) : [])])]
  const isGuarded = guards['opted-out'].length > 0 || guards.suppress.emails.length > 0
  const known = isGuarded ? await readTraits(tx, named, { asOf: now }) : NO_TRAITS
  const emails = isGuarded ? await subjectsOf(tx, named) : null
  const ids = [subjectId, ...(accountId === null ? [] : [accountId])]
  const sales = await readSalesStates(tx, ids)
  const said = sales.get(subjectId) ?? sales.get(accountId ?? '')
  const people = named.map((id) => {
    return { id, email: emails?.get(id)?.email ?? null, traits: known.get(id) ?? {} }
  })
  const answer = guard(guards, {
    now: now.getTime(),
    startedAt: startedAt?.getTime() ?? null,
    sales: said ?? { status: 'none', since: null },
    // Of a person's playbook she alone decides; of an account's whoever would be named.
    people: subject === 'person' ? [{ id: subjectId, email, traits }] : people,
    ...{ domain, traits },
  })
  if (answer.kind === 'held') return null
  if (subject === 'account') return new Set(answer.people)
  const others = guard(
    { ...guards, 'cool-down': 0, 'after-rejection': 0 },
    {
      ...{ now: now.getTime(), startedAt: null, sales: { status: 'none', since: null } },
      ...{ people, domain, traits: {} },
    },
  )
  return new Set(others.kind === 'held' ? [subjectId] : others.people)
}

async function openDeal({ tx, crm, mapping: { deals } }: PlanScope, account: string) {
  if (!deals) return undefined
  const all = await readDealsOf(tx, crm, [account], deals.pipelines)
  return all.get(account)?.find(({ state }) => state === 'open')
}

interface TaskToPlan {
  readonly row: PlaybookStart
  readonly start: NewStart
  readonly rules: PlaybookTask
  readonly story: TaskStory
  readonly people: ReadonlySet<string>
  readonly account: Spoken | null
  readonly where: string
}

async function planTask({ tx, now, arrivals }: PlanScope, plan: TaskToPlan): Promise<void> {
  const { row, start, rules, story, people, account, where } = plan
  const { subject, body } = await renderTask(rules, story, where)
  const own = start.playbook.subject === 'person' ? [row.subjectId] : []
  const task: PlannedTask = {
    ...{ subject, body, ...termsOf(rules, now) },
    accountRef: row.accountRef,
    personRefs: personsOf(start.playbook, row.subjectId, account, people),
    segment: row.segment,
    reason: reasonOf(story),
  }
  const { key, crm, playbook, accountRef } = row
  const marker = `RPN-${createHash('sha256').update(key).digest('hex').slice(0, 10).toUpperCase()}`
  const { score } = start.started.spoken
  const arrivedAt = arrivals.of(row.subjectId)
  const waitedMs = arrivedAt === null ? 0 : Date.now() - arrivedAt.getTime()
  const ageMs = ageAtArrival(score.facts.lastActive, now, waitedMs)
  await sql`insert into task_intent (key, crm, account_ref, person_ref, playbook, marker, state, task,
      qualified_at, told, created_at, arrived_at, event_age_ms)
    values (${key}, ${crm}, ${accountRef}, ${own[0] ?? null}, ${playbook}, ${marker}, 'planned',
      ${JSON.stringify(task)}::jsonb, ${start.started.episode}, ${JSON.stringify(markOf(score))}::jsonb, ${now},
      ${arrivedAt}, ${ageMs})
    on conflict (key) do nothing`.execute(tx)
}

/** Whom the texts name: the subject where it is a person, and people of the account. */
function personsOf(
  { subject }: Playbook,
  subjectId: string,
  account: Spoken | null,
  people: ReadonlySet<string>,
): readonly string[] {
  const own = subject === 'person' ? [subjectId] : []
  const named = (account ? namedBy(account.score) : []).filter((id) => people.has(id))
  return [...new Set([...own, ...named])].slice(0, MOST_PEOPLE)
}

function reasonOf({ playbook, person, happened }: TaskStory): string {
  return `${playbook}${person ? ` (${person.email})` : ''}: ${happened}`
}

/** What the playbook says of every task, at the time of its planning. */
function termsOf(rules: PlaybookTask, now: Date) {
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
