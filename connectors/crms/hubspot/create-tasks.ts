import type { CreateTasksOptions, CrmTask, TaskOutcome } from '../../../src/core/ports/crm.ts'
import { createTaskBatches, rejected } from './create-task-batch.ts'
import { type Session, sendSettled } from './session.ts'
import { taskInput } from './task-input.ts'
import type { Call, CallResult } from './transport.ts'
import { parseRecord } from './wire-shapes.ts'

const UNKNOWN: TaskOutcome = { kind: 'unknown' }

/** From so many on they go in batches: of a few, each is judged by the answer to its own call. */
const BATCH_FROM = 5

/**
 * Creates tasks. HubSpot has no key that makes a repeated create harmless: what has no certain outcome is never sent again from here.
 *
 * Throws only while nothing was sent. After that, what was not sent is `unknown` like what was
 * doubtful: looking for the marker settles both.
 */
export async function createTasks(
  session: Session,
  tasks: readonly CrmTask[],
  signal: AbortSignal,
  options: CreateTasksOptions = {},
): Promise<TaskOutcome[]> {
  if (tasks.length < BATCH_FROM) return createOneByOne(session, tasks, signal, options)
  const sent = tasks.map((task) => ({ task, input: taskInput(task) }))
  return createTaskBatches(session, sent, signal, options)
}

async function createOneByOne(
  session: Session,
  tasks: readonly CrmTask[],
  signal: AbortSignal,
  { sending }: CreateTasksOptions,
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
  return rejected(result.failure.refusal, task)
}

function createCall(session: Session, task: CrmTask, sending: CreateTasksOptions['sending']): Call {
  return {
    kind: 'write',
    endpoint: 'POST tasks',
    sending: sending && (() => sending(task.marker)),
    invoke: (options) => session.apis.record.create('tasks', taskInput(task), options),
  }
}
