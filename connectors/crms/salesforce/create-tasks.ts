import { setTimeout as sleep } from 'node:timers/promises'
import { dueDay } from '../../../src/core/playbook/task-follow.ts'
import type { CreateTasksOptions, CrmTask, TaskOutcome } from '../../../src/core/ports/crm.ts'
import { type Collected, createRecords, MAX_BATCH, type Saved } from './collections.ts'
import { describe, type ObjectDescription } from './describe.ts'
import { describeRowError, rowErrorKind } from './error-codes.ts'
import { findTasks } from './find-tasks.ts'
import { heirsOf } from './lost-records.ts'
import { objectOf } from './objects.ts'
import { LOCKED_AFTER_MS, LOCKED_ROUNDS } from './row-outcome.ts'
import { chunks, type Session } from './session.ts'
import { NOT_STARTED, TASK_PRIORITIES, TASK_TYPES } from './task-words.ts'
import { cut, type WireValue } from './to-wire.ts'
import type { WireError } from './wire-errors.ts'

const UNKNOWN: TaskOutcome = { kind: 'unknown' }
const MOST_SUBJECT = 255
const MOST_DESCRIPTION = 32_000

/** Tasks on their way, by their places in the call. */
interface Sending {
  readonly session: Session
  readonly description: ObjectDescription
  /** What all of them have besides. */
  readonly more: Readonly<Record<string, WireValue>>
  readonly outcomes: TaskOutcome[]
  readonly signal: AbortSignal
  readonly tell: CreateTasksOptions['sending']
  /** True once a call may have created something. */
  isUnderWay: boolean
  /** Nothing more is to be sent. */
  isOver: boolean
}

interface Open {
  readonly index: number
  readonly task: CrmTask
}

/** Rows that were surely not created, and may be after all. */
interface Left {
  readonly locked: Open[]
  /** About a record that has become another one, or is gone. */
  readonly lost: Open[]
}

/**
 * Creates tasks, each once: markers are looked for before, and a call that is in doubt is never repeated.
 * Rows that somebody held are sent again, and so is a task whose lead or contact has become another record.
 * Throws only while nothing was sent.
 * @param more fields that all of them have besides.
 */
export async function createTasks(
  session: Session,
  tasks: readonly CrmTask[],
  signal: AbortSignal,
  { sending: tell }: CreateTasksOptions = {},
  more: Readonly<Record<string, WireValue>> = {},
): Promise<TaskOutcome[]> {
  if (tasks.length === 0) return []
  const there = await findTasks(session, tasks, signal)
  const description = await describe(session, 'Task', signal)
  const outcomes = tasks.map(({ marker }): TaskOutcome => {
    const taskId = there.get(marker)
    return taskId === undefined ? UNKNOWN : { kind: 'created', taskId }
  })
  const open = tasks.flatMap((task, index) => (there.has(task.marker) ? [] : [{ task, index }]))
  const sending = { session, description, more, outcomes, signal, tell, isOver: false }
  const state: Sending = { ...sending, isUnderWay: there.size > 0 }
  const lost = await sendUnlocked(state, open)
  const found = await follow(state, lost)
  // Once: what is lost again keeps the reason that it was given.
  if (found.length > 0) await sendUnlocked(state, found)
  return outcomes
}

/** Sends tasks, and those again which somebody held, as records are. @returns those that are lost. */
async function sendUnlocked(state: Sending, tasks: readonly Open[]): Promise<readonly Open[]> {
  const lost: Open[] = []
  let some = tasks
  for (let round = 0; some.length > 0 && !state.isOver; round++) {
    const left = await send(state, some)
    lost.push(...left.lost)
    some = left.locked
    if (round >= LOCKED_ROUNDS || some.length === 0) break
    await sleep(LOCKED_AFTER_MS * 2 ** round, undefined, { signal: state.signal }).catch(() => {})
    if (state.signal.aborted) break
  }
  return lost
}

async function send(state: Sending, tasks: readonly Open[]): Promise<Left> {
  const { session, description, more, signal, tell } = state
  const left: Left = { locked: [], lost: [] }
  for (const batch of chunks(tasks, MAX_BATCH)) {
    const records = batch.map(({ task }) => ({
      ...toFields(session, task, description),
      ...more,
    }))
    const sending = tell && (() => tellAll(tell, batch))
    const answer = await createRecords(session, 'Task', records, { sending }, signal)
    if (!answer.ok && answer.failure.kind === 'failed') {
      const { error, mayHaveHappened } = answer.failure
      if (!mayHaveHappened && !state.isUnderWay) throw error
      state.isOver = true
      return left
    }
    state.isUnderWay = true
    for (const [place, one] of batch.entries()) settle(state, one, savedAt(answer, place), left)
    if (state.isOver) return left
  }
  return left
}

async function tellAll(
  tell: NonNullable<CreateTasksOptions['sending']>,
  batch: readonly Open[],
): Promise<void> {
  for (const { task } of batch) await tell(task.marker)
}

/** A row of an answer; a call that was refused as a whole is an answer to each of its rows. */
function savedAt(answer: Collected, place: number): Saved {
  if (answer.ok) return answer.saved[place] ?? { kind: 'unknown' }
  const [error] = answer.failure.kind === 'refused' ? answer.failure.errors : []
  return error ? { kind: 'error', error } : { kind: 'unknown' }
}

function settle(state: Sending, one: Open, saved: Saved, left: Left): void {
  const { outcomes } = state
  outcomes[one.index] = UNKNOWN
  if (saved.kind === 'unknown') return
  if (saved.kind === 'saved') {
    outcomes[one.index] = { kind: 'created', taskId: saved.id }
    return
  }
  const kind = rowErrorKind(saved.error)
  if (kind === 'locked') left.locked.push(one)
  else if (kind === 'limit') state.isOver = true
  else outcomes[one.index] = rejected(saved.error, one.task)
  if (kind === 'converted' || kind === 'absent') left.lost.push(one)
}

/** The tasks that are about records which have become others, about those; in doubt where nobody can be asked. */
async function follow(state: Sending, lost: readonly Open[]): Promise<readonly Open[]> {
  if (lost.length === 0 || state.isOver) return []
  const ids = lost.flatMap(({ task }) => [...task.contactIds, task.companyId ?? []].flat())
  const heirs = await heirsOf(state.session, [...new Set(ids)], state.signal)
  if (heirs === null) for (const { index } of lost) state.outcomes[index] = UNKNOWN
  return lost.flatMap(({ index, task }) => {
    const now = (id: string) => heirs?.get(id) ?? id
    const contactIds = task.contactIds.map(now)
    const companyId = task.companyId === null ? null : now(task.companyId)
    const isSame = [companyId, ...contactIds].join() === [task.companyId, ...task.contactIds].join()
    return isSame ? [] : [{ index, task: { ...task, contactIds, companyId } }]
  })
}

function rejected(error: WireError, task: CrmTask): TaskOutcome {
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
  task: CrmTask,
  { fields }: ObjectDescription,
): Record<string, WireValue> {
  const ownerId = task.ownerId ?? task.queueId ?? null
  const statuses = fields.get('Status')?.picklistValues ?? []
  const hasNotStarted = statuses.some(({ value, active }) => active && value === NOT_STARTED)
  return {
    Subject: cut(task.subject, MOST_SUBJECT),
    Description: cut(task.body, fields.get('Description')?.length || MOST_DESCRIPTION),
    ActivityDate: dueDay(task),
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
