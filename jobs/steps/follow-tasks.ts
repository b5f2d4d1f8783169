import { RetryableError } from '../../src/core/errors.ts'
import type { CrmMapping } from '../../src/core/mapping/crm-mapping.ts'
import { taskRules } from '../../src/core/playbook/playbooks-of.ts'
import { checkTask, closingNote, ownerOf } from '../../src/core/playbook/task-follow.ts'
import type { CrmTaskState, TaskCloseOutcome } from '../../src/core/ports/crm.ts'
import { tasksSource } from '../../src/core/scoring/told-by.ts'
import type { Db, Tx } from '../../src/infra/postgres/database.ts'
import { type EndedTask, returnMerged } from '../../src/infra/postgres/merge-store.ts'
import {
  changeTask,
  type FollowedTask,
  noteContacts,
  readFollowed,
  type TaskChange,
  TOUCHED_BASELINE,
} from '../../src/infra/postgres/task-store.ts'
import { storeSeenTraits } from '../../src/infra/postgres/trait-store.ts'
import { touchAbout } from '../../src/infra/postgres/trait-subjects.ts'
import { amendNoted, planNoteAmendments } from './amend-notes.ts'
import { amendOpen, planAmendments } from './amend-tasks.ts'
import { goneReasons } from './gone-reasons.ts'
import { dueBefore, type ReadScope } from './read-scope.ts'

/**
 * Reads what became of the tasks that are open, new ones at once and the others when they are due, and
 * closes those whose reason is gone and that nobody has touched.
 */
export async function followTasks(follow: ReadScope): Promise<void> {
  const { context, crm, mapping, run } = follow
  const now = context.clock()
  const before = dueBefore(mapping, now).getTime()
  const due = (await readFollowed(context.db, crm.name)).filter(
    ({ state, baseline, readAt }) =>
      state === 'created' && (baseline === null || readAt === null || readAt.getTime() <= before),
  )
  await readSome(follow, due, now)
  await noteContacts(context.db, crm.name)
  const unclosed = await closeGone(follow, now)
  await planAmendments(follow, now)
  await planNoteAmendments(follow, now)
  const doubtful = unclosed + (await amendOpen(follow)) + (await amendNoted(follow))
  run.count('tasksRead', due.length)
  if (doubtful > 0) {
    throw new RetryableError(
      `${doubtful} tasks may be closed or amended, or not; they are looked at again`,
    )
  }
}

/** True when a task of a CRM is due to be read. */
export async function hasDueTasks(
  db: Db,
  crm: string,
  mapping: CrmMapping,
  now: Date,
): Promise<boolean> {
  const before = dueBefore(mapping, now).getTime()
  const tasks = await readFollowed(db, crm)
  return tasks.some(({ readAt }) => readAt === null || readAt.getTime() <= before)
}

async function readSome(
  follow: ReadScope,
  tasks: readonly FollowedTask[],
  now: Date,
): Promise<void> {
  if (tasks.length === 0) return
  const { context, crm, signal } = follow
  const states = await crm.readTasks(
    tasks.map((task) => task.taskId),
    signal,
  )
  for (const task of tasks) {
    const change = changeOf(follow, task, states.get(task.taskId), now)
    await context.db.transaction().execute(async (tx) => {
      await changeTask(tx, task.key, { ...change, read_at: now })
      if (change.state === 'done') await tellDone(tx, crm.name, task.accountRef, change, now)
      const reason = change.state && ENDED[change.state]
      if (reason) await returnMerged(tx, { key: task.key, crm: crm.name, reason }, now)
    })
  }
}

const ENDED: Partial<Record<string, string>> = {
  done: 'the task is done',
  deleted: 'the task is gone',
}

/** That a person has done a task is a trait of its account: it is contact, not yet an answer. */
async function tellDone(
  tx: Tx,
  crm: string,
  about: string,
  { completed_at: at, owner_id: by }: TaskChange,
  now: Date,
): Promise<void> {
  const doneAt = new Date(at ?? now)
  const values = { task_done_at: doneAt.toISOString(), task_done_by: by ?? null }
  const since = { task_done_at: doneAt.getTime(), task_done_by: doneAt.getTime() }
  await touchAbout(tx, await storeSeenTraits(tx, tasksSource(crm), [{ about, values, since }], now))
}

/** What a look at a task changes. One of which there is no trace was deleted for good. */
function changeOf(
  { crm, run }: ReadScope,
  task: FollowedTask,
  seen: CrmTaskState | undefined,
  now: Date,
): TaskChange {
  if (!seen || seen.archived) {
    run.count('tasksDeleted')
    return { state: 'deleted' }
  }
  const change: TaskChange = { status: seen.status, owner_id: ownerOf(task.asked, seen) }
  if (task.baseline === null) {
    const { ignored, touched } = checkTask(task.asked, seen, crm)
    if (ignored.length > 0) {
      const reason = `the CRM left out: ${ignored.join(', ')}`
      run.note({ ref: task.key, outcome: 'ignored', reason, correlationId: null })
    }
    change.baseline = touched ? TOUCHED_BASELINE : seen.fingerprint
  }
  if (seen.status !== 'done') return change
  run.count('tasksDone')
  return { ...change, state: 'done', completed_at: seen.completedAt ?? now.toISOString() }
}

/** @returns how many tasks may be closed or not. */
async function closeGone(follow: ReadScope, now: Date): Promise<number> {
  const { context, crm, set, mapping, signal } = follow
  const { db } = context
  const open = await readFollowed(db, crm.name)
  const untouched = open.filter(
    (task) =>
      task.state === 'created' &&
      task.baseline !== TOUCHED_BASELINE &&
      taskRules(set, crm.name, task.playbook, task.segment)?.['when-gone'] === 'close',
  )
  if (untouched.length > 0) {
    const gone = await goneReasons(db, set, mapping, untouched)
    for (const { key } of untouched) {
      const reason = gone.get(key)
      // Noted before the call: whoever dies now closes it with the same note.
      if (reason !== undefined) {
        await changeTask(db, key, { state: 'closing', note: closingNote(reason) })
      }
    }
  }
  const closing = (await readFollowed(db, crm.name)).filter(({ state }) => state === 'closing')
  if (closing.length === 0) return 0
  const outcomes = await crm.closeTasks(
    closing.map(({ taskId, note, baseline }) => {
      return { taskId, note: note ?? '', fingerprint: baseline ?? '' }
    }),
    signal,
  )
  for (const [index, task] of closing.entries()) {
    await settle(follow, task, outcomes[index] ?? { kind: 'unknown' }, now)
  }
  return outcomes.filter(({ kind }) => kind === 'unknown').length
}

/** Notes that a task is over; what it took in and nobody has read has a task of its own. */
async function end(
  { context, crm }: ReadScope,
  ended: Omit<EndedTask, 'crm'>,
  change: TaskChange,
): Promise<void> {
  await context.db.transaction().execute(async (tx) => {
    await changeTask(tx, ended.key, change)
    await returnMerged(tx, { ...ended, crm: crm.name }, context.clock())
  })
}

async function settle(
  follow: ReadScope,
  task: FollowedTask,
  outcome: TaskCloseOutcome,
  now: Date,
): Promise<void> {
  const { context, run } = follow
  const { db } = context
  switch (outcome.kind) {
    case 'closed':
      run.count('tasksClosed')
      return end(
        follow,
        { key: task.key, reason: 'the task was closed', isUnread: true },
        { state: 'closed', status: 'done', completed_at: now },
      )
    case 'missing':
      run.count('tasksDeleted')
      return end(
        follow,
        { key: task.key, reason: 'the task is gone' },
        { state: 'deleted', note: null },
      )
    case 'changed':
      // It is a person's now: what she made of it is read, and it is not closed any more.
      await changeTask(db, task.key, { state: 'created', note: null, baseline: TOUCHED_BASELINE })
      return readSome(follow, [{ ...task, state: 'created', baseline: TOUCHED_BASELINE }], now)
    case 'rejected': {
      const { reason, correlationId } = outcome
      run.note({ ref: task.key, outcome: 'refused', reason, correlationId })
      const change = { state: 'created', note: null, baseline: TOUCHED_BASELINE, reason } as const
      return changeTask(db, task.key, change)
    }
    case 'unknown':
  }
}
