import type { CrmTask, TaskOutcome } from '../../../src/core/ports/crm.ts'
import { createRecords, MAX_BATCH, type Saved } from './collections.ts'
import { describe, type ObjectDescription } from './describe.ts'
import { describeRowError } from './error-codes.ts'
import { findTasks } from './find-tasks.ts'
import { objectOf } from './objects.ts'
import { chunks, type Session } from './session.ts'
import { NOT_STARTED, TASK_PRIORITIES, TASK_TYPES } from './task-words.ts'
import { cut, type WireValue } from './to-wire.ts'
import type { WireError } from './wire-errors.ts'

const UNKNOWN: TaskOutcome = { kind: 'unknown' }
const MOST_SUBJECT = 255
const MOST_DESCRIPTION = 32_000

/**
 * Creates tasks, each once: markers are looked for before, and a call that is in doubt is never repeated.
 * Throws only while nothing was sent.
 */
export async function createTasks(
  session: Session,
  tasks: readonly CrmTask[],
  signal: AbortSignal,
): Promise<TaskOutcome[]> {
  if (tasks.length === 0) return []
  const there = await findTasks(session, tasks, signal)
  const description = await describe(session, 'Task', signal)
  const outcomes = tasks.map(({ marker }): TaskOutcome => {
    const taskId = there.get(marker)
    return taskId === undefined ? UNKNOWN : { kind: 'created', taskId }
  })
  const open = tasks.flatMap(({ marker }, index) => (there.has(marker) ? [] : [index]))
  let isUnderWay = there.size > 0
  for (const batch of chunks(open, MAX_BATCH)) {
    const records = batch.map((index) => toFields(session, tasks[index], description))
    const answer = await createRecords(session, 'Task', records, {}, signal)
    if (!answer.ok && answer.failure.kind === 'failed') {
      if (!answer.failure.mayHaveHappened && !isUnderWay) throw answer.failure.error
      return outcomes
    }
    isUnderWay = true
    for (const [place, index] of batch.entries()) {
      const outcome = answer.ok
        ? toOutcome(answer.saved[place], tasks[index])
        : rejected(
            answer.failure.kind === 'refused' ? answer.failure.errors[0] : undefined,
            tasks[index],
          )
      outcomes[index] = outcome
    }
  }
  return outcomes
}

function toOutcome(saved: Saved | undefined, task: CrmTask | undefined): TaskOutcome {
  if (!saved || saved.kind === 'unknown') return UNKNOWN
  return saved.kind === 'saved'
    ? { kind: 'created', taskId: saved.id }
    : rejected(saved.error, task)
}

function rejected(error: WireError | undefined, task: CrmTask | undefined): TaskOutcome {
  if (!error || !task) return UNKNOWN
  const values = [task.subject, task.marker, ...task.body.split('\n')]
  const reason = `${describeRowError(error, values)}${mendOf(error, task)}`
  return { kind: 'rejected', reason, code: error.code || null, correlationId: null }
}

function mendOf({ code }: WireError, { queueId, ownerId }: CrmTask): string {
  if (code === 'INACTIVE_OWNER_OR_USER')
    return '; the owner has left: name a fallback-owner or a queue'
  if (code !== 'FIELD_INTEGRITY_EXCEPTION' || ownerId !== null || !queueId) return ''
  return `; is ${queueId} a queue, and are tasks among its supported objects?`
}

/** The owner is a person, else a queue; of a task with neither Salesforce makes the user of Ripen the owner. */
function toFields(
  session: Session,
  task: CrmTask | undefined,
  { fields }: ObjectDescription,
): Record<string, WireValue> {
  if (!task) return {}
  const ownerId = task.ownerId ?? task.queueId ?? null
  const statuses = fields.get('Status')?.picklistValues ?? []
  const hasNotStarted = statuses.some(({ value, active }) => active && value === NOT_STARTED)
  return {
    Subject: cut(task.subject, MOST_SUBJECT),
    Description: cut(task.body, fields.get('Description')?.length || MOST_DESCRIPTION),
    ActivityDate: task.dueAt.slice(0, 10),
    Priority: TASK_PRIORITIES[task.priority],
    TaskSubtype: TASK_TYPES[task.type ?? 'to-do'],
    [session.rules.taskKeyField]: task.marker,
    ...(hasNotStarted ? { Status: NOT_STARTED } : {}),
    ...(ownerId === null ? {} : { OwnerId: ownerId }),
    ...aboutFields(task),
    ...(task.reminderAt ? { IsReminderSet: true, ReminderDateTime: task.reminderAt } : {}),
  }
}

/**
 * A task is about one person (`WhoId`) and one other record (`WhatId`). A lead stands by itself: where there
 * is an account or a deal, that is what the task is about.
 */
export function aboutFields(task: CrmTask): Record<string, WireValue> {
  const what = task.dealId ?? task.companyId
  const contactId = task.contactIds.find((id) => objectOf(id) === 'Contact')
  const who = contactId ?? (what === null ? task.contactIds[0] : undefined)
  return {
    ...(who === undefined ? {} : { WhoId: who }),
    ...(what === null ? {} : { WhatId: what }),
  }
}
