import { AssociationTypes } from '@hubspot/api-client'
import { AssociationSpecAssociationCategoryEnum as Category } from '@hubspot/api-client/lib/codegen/crm/objects/models/AssociationSpec.js'
import type { CreateTasksOptions, CrmTask, TaskOutcome } from '../../../src/core/ports/crm.ts'
import { describeRefusal } from './refusal.ts'
import { type Session, sendSettled } from './session.ts'
import { toTaskBody } from './task-body.ts'
import { TASK_TYPES } from './task-words.ts'
import { cut, MAX_VALUE_CHARACTERS } from './to-wire.ts'
import type { Call, CallResult } from './transport.ts'
import { parseRecord } from './wire-shapes.ts'

const UNKNOWN: TaskOutcome = { kind: 'unknown' }

/**
 * Creates tasks one by one: HubSpot has no key that makes a repeated create harmless, and a refused
 * batch is known to leave some of its records behind, so only a call about a single task can be
 * judged by its answer. Tasks are few; the calls are affordable.
 *
 * Throws only while nothing was sent. After that, what was not sent is `unknown` like what was
 * doubtful: looking for the marker settles both.
 */
export async function createTasks(
  session: Session,
  tasks: readonly CrmTask[],
  signal: AbortSignal,
  { sending }: CreateTasksOptions = {},
): Promise<TaskOutcome[]> {
  return createEach(session, tasks, (task) => createCall(session, task, sending), signal)
}

/** What is created here: its texts are told in no failure. */
type Told = Pick<CrmTask, 'subject' | 'marker' | 'body'>

/** Makes the call of each, one after the other, as `createTasks` promises. */
export async function createEach<Item extends Told>(
  session: Session,
  items: readonly Item[],
  callOf: (item: Item) => Call,
  signal: AbortSignal,
): Promise<TaskOutcome[]> {
  const outcomes: TaskOutcome[] = items.map(() => UNKNOWN)
  for (const [position, item] of items.entries()) {
    const result = await sendSettled(session, callOf(item), signal)
    outcomes[position] = outcomeOf(result, item)
    if (result.ok || result.failure.kind === 'refused') continue
    if (position === 0 && !result.failure.mayHaveHappened) throw result.failure.error
    return outcomes
  }
  return outcomes
}

function outcomeOf(result: CallResult, task: Told): TaskOutcome {
  if (result.ok) {
    const taskId = parseRecord(result.answer.body)?.id
    return taskId === undefined ? UNKNOWN : { kind: 'created', taskId }
  }
  if (result.failure.kind === 'failed') return UNKNOWN
  const { refusal } = result.failure
  const reason = describeRefusal(refusal, [task.subject, task.marker, ...task.body.split('\n')])
  const { code, category, correlationId } = refusal
  return { kind: 'rejected', reason, code: code ?? category, correlationId }
}

function createCall(session: Session, task: CrmTask, sending: CreateTasksOptions['sending']): Call {
  const input = { properties: toProperties(task), associations: toAssociations(task) }
  return {
    kind: 'write',
    endpoint: 'POST tasks',
    sending: sending && (() => sending(task.marker)),
    invoke: (options) => session.apis.record.create('tasks', input, options),
  }
}

/** `hs_timestamp` is when the task is due. */
function toProperties(task: CrmTask): Record<string, string> {
  return {
    hs_timestamp: task.dueAt,
    hs_task_subject: cut(task.subject, MAX_VALUE_CHARACTERS),
    hs_task_body: toTaskBody(task.body, task.marker),
    hs_task_status: 'NOT_STARTED',
    hs_task_priority: task.priority.toUpperCase(),
    hs_task_type: TASK_TYPES[task.type ?? 'to-do'],
    ...(task.ownerId === null ? {} : { hubspot_owner_id: task.ownerId }),
    ...(task.queueId ? { hs_queue_membership_ids: task.queueId } : {}),
    // Unlike other times, in milliseconds only.
    ...(task.reminderAt ? { hs_task_reminders: String(Date.parse(task.reminderAt)) } : {}),
  }
}

function toAssociations({ contactIds, companyId, dealId }: CrmTask) {
  return [
    ...contactIds.map((id) => association(id, AssociationTypes.taskToContact)),
    ...(companyId === null ? [] : [association(companyId, AssociationTypes.taskToCompany)]),
    ...(dealId ? [association(dealId, AssociationTypes.taskToDeal)] : []),
  ]
}

export function association(id: string, associationTypeId: number) {
  return {
    to: { id },
    types: [{ associationCategory: Category.HubspotDefined, associationTypeId }],
  }
}
