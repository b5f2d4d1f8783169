import type { Playbook } from '../../src/core/mapping/playbook.ts'
import { byAddress } from '../../src/core/playbook/assign.ts'
import { markOf, materialChanges } from '../../src/core/playbook/material-change.ts'
import { playbooksOf, taskRules } from '../../src/core/playbook/playbooks-of.ts'
import { dueDay } from '../../src/core/playbook/task-follow.ts'
import type { TaskAmendOutcome } from '../../src/core/ports/crm.ts'
import type { Score } from '../../src/core/scoring/score.ts'
import type { Db } from '../../src/infra/postgres/database.ts'
import { addAmendment } from '../../src/infra/postgres/merge-store.ts'
import {
  type FollowedTask,
  nextAmendments,
  type OpenAmendment,
  readFollowed,
  settleAmendment,
  TOUCHED_BASELINE,
} from '../../src/infra/postgres/task-store.ts'
import { heirsOf } from './address-task.ts'
import { knownOwners } from './known-owners.ts'
import { hasOptedOut } from './opted-out.ts'
import { rulesOf } from './playbook-triggers.ts'
import type { ReadScope } from './read-scope.ts'
import { speakers } from './speakers.ts'

/** Most lines that are added to one task in one run. */
const ROUNDS = 5

/** Notes what open tasks should tell besides: that their story changed, or that nobody touches them. */
export async function planAmendments(scope: ReadScope, now: Date): Promise<void> {
  const { context, crm, set } = scope
  const open = (await readFollowed(context.db, crm.name)).filter(
    ({ state, baseline }) => state === 'created' && baseline !== null,
  )
  if (open.length === 0) return
  const playbooks = new Map(playbooksOf(set, crm.name).map((one) => [one.id, one]))
  const scores = await scoresOf(scope, open, playbooks)
  for (const task of open) {
    const score = scores.get(task.key)
    if (score) await tellChange(scope, task, score, now)
    await escalate(scope, task, now)
  }
}

/** The score of whom each task is about, by its key. */
export async function scoresOf(
  { context, set, mapping }: ReadScope,
  tasks: readonly FollowedTask[],
  playbooks: ReadonlyMap<string, Playbook>,
): Promise<ReadonlyMap<string, Score>> {
  const found = new Map<string, Score>()
  for (const playbook of playbooks.values()) {
    const rules = rulesOf(mapping, playbook)
    const own = tasks.filter((task) => task.playbook === playbook.id && task.told !== null)
    if (!rules || own.length === 0) continue
    const ids = [...new Set(own.map(({ personRef, accountRef }) => personRef ?? accountRef))]
    const spoken = await speakers(context.db, set, rules, ids)
    const scores = new Map(spoken.map(({ score }) => [score.subjectId, score]))
    for (const { key, personRef, accountRef } of own) {
      const score = scores.get(personRef ?? accountRef)
      if (score) found.set(key, score)
    }
  }
  return found
}

export async function tellChange(
  { context, crm, set, run }: ReadScope,
  { key, told, playbook }: FollowedTask,
  score: Score,
  now: Date,
): Promise<void> {
  if (told === null) return
  let mark = markOf(score)
  const { championId } = mark
  if (championId !== null && championId !== told.championId) {
    const of = { crm: crm.name, playbook }
    const isOut = await hasOptedOut(context.db, set, of, championId, now)
    if (isOut) mark = { ...mark, championId: null }
  }
  const emails = await emailsOf(context.db, mark.championId)
  const changes = materialChanges(told, mark, (id) => emails.get(id) ?? 'somebody else')
  if (changes.length === 0) return
  const note = `Updated by Ripen on ${dayOf(now)}: ${changes.join('; ')}.`
  await context.db.transaction().execute(async (tx) => {
    await addAmendment(tx, key, {
      ...{ kind: 'story', note },
      personRefs: mark.championId === null ? [] : [mark.championId],
    })
    await tx
      .updateTable('task_intent')
      .set({ told: JSON.stringify(mark) })
      .where('key', '=', key)
      .execute()
  })
  run.count('tasksUpdated')
}

/** A task that nobody has touched in its time, once. */
async function escalate(scope: ReadScope, task: FollowedTask, now: Date): Promise<void> {
  const { context, crm, set, signal, run } = scope
  const { key, playbook, segment, asked, baseline, status, contactAt, escalatedAt } = task
  const rules = taskRules(set, crm.name, playbook, segment)?.escalate
  const isUntouched = baseline !== TOUCHED_BASELINE && (status ?? 'not-started') === 'not-started'
  if (!rules || escalatedAt !== null || contactAt !== null || !isUntouched) return
  if (now.getTime() < Date.parse(asked.dueAt) + rules.after) return
  const owners = await knownOwners(context, crm, signal)
  const owner = byAddress(rules.to, owners)
  const note = `Escalated by Ripen on ${dayOf(now)}: nobody has touched it since it was due on ${dueDay(asked)}.`
  await context.db.transaction().execute(async (tx) => {
    const { priority } = rules
    await addAmendment(tx, key, { kind: 'escalation', note, ownerId: owner?.id ?? null, priority })
    await tx.updateTable('task_intent').set({ escalated_at: now }).where('key', '=', key).execute()
  })
  run.count('tasksEscalated')
}

async function emailsOf(db: Db, id: string | null): Promise<ReadonlyMap<string, string>> {
  if (id === null) return new Map()
  const row = await db
    .selectFrom('person')
    .select(['id', 'email'])
    .where('id', '=', id)
    .executeTakeFirst()
  return row?.email ? new Map([[row.id, row.email]]) : new Map()
}

const dayOf = (now: Date): string => now.toISOString().slice(0, 10)

/**
 * Adds to open tasks what is planned for them: what a person wrote stays, and a task that she has touched stays whose it is.
 * @returns how many of them are in doubt.
 */
export async function amendOpen(scope: ReadScope): Promise<number> {
  const { context, crm, signal } = scope
  for (let round = 0; round < ROUNDS; round++) {
    const next = await nextAmendments(context.db, crm.name)
    if (next.length === 0) return 0
    const tasks = new Map((await readFollowed(context.db, crm.name)).map((t) => [t.key, t]))
    const ready = next.flatMap((one) => {
      const task = tasks.get(one.taskKey)
      return task ? [{ one, task }] : []
    })
    const asked = []
    for (const { one, task } of ready) {
      asked.push({
        ...{ taskId: task.taskId, note: one.note, fingerprint: task.baseline ?? '' },
        ...{ ownerId: one.ownerId, priority: one.priority },
        contactIds: await contactIdsOf(context.db, crm.name, one.personRefs),
      })
    }
    const outcomes = await crm.amendTasks(asked, signal)
    let doubtful = 0
    for (const [index, { one, task }] of ready.entries()) {
      const outcome = outcomes[index] ?? { kind: 'unknown' }
      if (outcome.kind === 'unknown') doubtful += 1
      else await settle(scope, one, task, outcome)
    }
    if (doubtful > 0) return doubtful
  }
  return 0
}

async function settle(
  { context: { db, clock }, crm, run }: ReadScope,
  one: OpenAmendment,
  task: FollowedTask,
  outcome: Exclude<TaskAmendOutcome, { kind: 'unknown' }>,
): Promise<void> {
  switch (outcome.kind) {
    case 'amended': {
      const isHers = outcome.touched || task.baseline === TOUCHED_BASELINE
      const { ownerId, priority } = one
      run.count('tasksAmended')
      return settleAmendment(
        db,
        one,
        { state: 'done' },
        {
          baseline: isHers ? TOUCHED_BASELINE : outcome.fingerprint,
          ...(ownerId === null ? {} : { owner_id: ownerId }),
          ...(priority === null ? {} : { task: JSON.stringify({ ...taskOf(task), priority }) }),
        },
      )
    }
    case 'done':
    case 'missing': {
      const reason = outcome.kind === 'done' ? 'the task is done' : 'the task is gone'
      const ended = { task: { key: task.key, crm: crm.name, reason }, at: clock() }
      // It is read at once: what comes next is not for it.
      return settleAmendment(db, one, { state: 'refused', reason }, { read_at: null }, ended)
    }
    case 'changed': {
      const hers = { baseline: TOUCHED_BASELINE, escalated_at: null }
      return settleAmendment(db, one, { state: 'refused', reason: HERS }, hers)
    }
    case 'rejected': {
      const { reason, correlationId } = outcome
      run.note({ ref: task.key, outcome: 'refused', reason, correlationId })
      return settleAmendment(db, one, { state: 'refused', reason }, {})
    }
  }
}

/** Why a task is not escalated that somebody has taken up. */
const HERS = 'somebody has touched the task'

/** What is stored of a task, without what stands in columns of its own. */
function taskOf({ asked: { marker: _marker, ownerId: _owner, ...task } }: FollowedTask) {
  return task
}

async function contactIdsOf(
  db: Db,
  crm: string,
  personRefs: readonly string[],
): Promise<readonly string[]> {
  const refs = await heirsOf(db, personRefs)
  if (refs.length === 0) return []
  const rows = await db
    .selectFrom('crm_record')
    .select('crm_id')
    .where('crm', '=', crm)
    .where('object', '=', 'contact')
    .where('ref', 'in', [...refs])
    .where('crm_id', 'is not', null)
    .execute()
  return rows.flatMap((row) => row.crm_id ?? [])
}
